//! What free text must be before it may stand in a control file or a header: one function per kind of text, so that no
//! value can break out of its field.

use super::error::Error;
use crate::diagnostic::shortened;
use crate::tree::InstallPath;

const HINT: &str = "correct it in packhouse.toml or in the manifest that it comes from";

/// Bidirectional controls make text read otherwise than it is (CVE-2021-42574).
fn is_misleading(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn refuse(what: &str, value: &str, rule: &'static str) -> Error {
    Error::Unwritable { what: format!("{what} `{}`", shortened(value).escape_debug()), rule, hint: HINT }
}

/// A value that must be one line, neither empty nor surrounded by blanks.
pub(super) fn line<'a>(what: &str, value: &'a str) -> Result<&'a str, Error> {
    if value.trim().is_empty() {
        return Err(refuse(what, value, "it must not be empty"));
    }
    if value.chars().any(|character| character.is_control() || is_misleading(character)) {
        return Err(refuse(what, value, "line breaks and control characters are not allowed"));
    }
    if value.trim() != value {
        return Err(refuse(what, value, "it must not begin or end with blanks"));
    }
    Ok(value)
}

/// A text of several lines; tabs become blanks, trailing blanks and empty lines at both ends go.
pub(super) fn lines(what: &str, value: &str) -> Result<Vec<String>, Error> {
    let bad = |character: char| character.is_control() && !matches!(character, '\n' | '\t');
    let value = value.replace("\r\n", "\n");
    if value.chars().any(|character| bad(character) || is_misleading(character)) {
        return Err(refuse(what, &value, "control characters are not allowed"));
    }
    let value = value.replace('\t', "    ");
    let trimmed = value.trim_matches('\n').trim_end();
    if trimmed.is_empty() {
        return Ok(Vec::new());
    }
    Ok(trimmed.lines().map(|line| line.trim_end().to_owned()).collect())
}

/// A long description is wrapped here: lintian and rpmlint want lines of at most 79 columns.
const WIDTH: usize = 78;

/// One line of a text, wrapped between words; a line that begins with a blank is verbatim and stays whole.
pub(super) fn wrapped(line: &str) -> Vec<String> {
    if line.is_empty() || line.starts_with(' ') {
        return vec![line.to_owned()];
    }
    let mut rows: Vec<String> = Vec::new();
    let mut width = 0;
    for word in line.split(' ').filter(|word| !word.is_empty()) {
        let length = word.chars().count();
        match rows.last_mut() {
            Some(row) if width + 1 + length <= WIDTH => {
                row.push(' ');
                row.push_str(word);
                width += 1 + length;
            }
            _ => {
                rows.push(word.to_owned());
                width = length;
            }
        }
    }
    rows
}

/// Bytes of a package as text. What is not UTF-8 is taken for ISO 8859-1, as createrepo_c takes it: no byte is lost, and
/// the same package always reads the same.
pub(super) fn repaired(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
    }
}

/// A script: complete, no NUL.
pub(super) fn script<'a>(what: &str, value: &'a str) -> Result<&'a str, Error> {
    if value.contains('\0') || value.trim().is_empty() {
        return Err(refuse(what, value, "a script must neither be empty nor hold a NUL"));
    }
    Ok(value)
}

/// The target of a symbolic link: what a file system takes, in one line.
pub(super) fn link_target(path: &InstallPath, target: &str) -> Result<(), Error> {
    if !target.is_empty() && target.len() < 4096 && !target.chars().any(char::is_control) {
        return Ok(());
    }
    Err(Error::Unpackable {
        path: path.clone(),
        rule: format!("`{}` cannot be the target of a link", target.escape_debug()),
        hint: "correct the link in its source",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_breaks_out_of_its_line() {
        for value in ["a\nEssential: yes", "a\r", "a\0", " a", "", "a\u{202e}b", "\u{85}"] {
            assert!(line("summary", value).is_err(), "{value:?}");
        }
        assert_eq!(line("summary", "Grüße an alle").expect("a line"), "Grüße an alle");
    }

    #[test]
    fn what_is_not_utf_8_is_taken_for_latin_1() {
        assert_eq!(repaired("Grüße".as_bytes()), "Grüße");
        assert_eq!(repaired(b"Gr\xfc\xdfe"), "Grüße");
    }

    #[test]
    fn texts_keep_their_paragraphs() {
        assert_eq!(lines("description", "\n\na\tb  \n\nc\n").expect("lines"), ["a    b", "", "c"]);
        assert!(lines("description", "\u{1b}[31m").is_err());
        assert!(lines("description", " \n ").expect("nothing").is_empty());
    }
}
