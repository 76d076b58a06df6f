//! The texts that every package carries beside its changelog: the copyright file with the notices of third parties, and
//! lintian's overrides.

mod copyright;
mod license_texts;
mod notices;
mod overrides;

pub(super) use copyright::{Copyright, copyright};
pub(super) use notices::install_notices;
pub(super) use overrides::{Overrides, lintian_overrides};

/// `text` as the continuation of a field: each line after one space, empty ones as ` .`; nothing in it can begin a field or
/// a paragraph, hide what follows or turn its direction.
fn folded(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let line: String = line.replace('\t', "    ").chars().filter(|character| !is_hidden(*character)).collect();
        let line = line.trim_end();
        // Of several empty lines one is enough, and at the beginning none.
        match line.trim().is_empty() {
            true if lines.last().is_none_or(|last| last == " .") => {}
            true => lines.push(" .".to_owned()),
            false => lines.push(format!(" {line}")),
        }
    }
    if lines.last().is_some_and(|last| last == " .") {
        lines.pop();
    }
    lines.join("\n")
}

fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_never_leaves_its_field() {
        let text = "\n\nFiles: *\r\nLicense: none\n\n\n\u{c}\n\tX\u{202e}\u{1b}[31m\n.\n \n";
        assert_eq!(folded(text), " Files: *\n License: none\n .\n     X[31m");
        for line in folded(text).lines() {
            assert!(line.starts_with(' ') && line.len() > 1, "{line:?}");
        }
        assert_eq!(folded(""), "");
    }
}
