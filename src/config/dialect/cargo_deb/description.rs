//! The long description: what the table says, else what the readme begins with.
//!
//! cargo-deb puts the whole readme into the control file, badges, tables and instructions for building included. What a
//! person sees in `apt show` should be its prose, which is what stands before the first section (Debian Policy 3.4.2).

use super::Reading;
use crate::config::error::Error;
use crate::config::find::read_text;

/// The longest synopsis; what is longer is told in full below it.
const SYNOPSIS: usize = 79;

/// The description; `whole` leaves a readme as it is.
pub(super) fn description(reading: &mut Reading<'_>, whole: bool) -> Result<Option<String>, Error> {
    let long = long(reading, whole)?;
    let own = reading.manifest.text(|package| &package.description).and_then(|text| some(&text));
    let own = own.filter(|text| text.contains('\n') || text.chars().count() > SYNOPSIS);
    Ok(match (own, long) {
        (Some(own), Some(long)) => Some(format!("{}\n\n{long}", own.trim())),
        (own, long) => own.or(long),
    })
}

/// What stands below the synopsis.
fn long(reading: &mut Reading<'_>, whole: bool) -> Result<Option<String>, Error> {
    let table = &reading.table;
    if let Some(file) = table.extended_description_file.clone() {
        if let Some(text) = table.extended_description.clone() {
            let message = "`extended-description` is left out: `extended-description-file` says it".to_owned();
            reading.note(Some(&text), message, Some("keep one of them".to_owned()));
        }
        let path = reading.file(&file)?;
        let text = read_text(&reading.manifest.absolute(&path))?;
        reading.read.push(path);
        return Ok(some(&text));
    }
    if let Some(text) = &table.extended_description {
        return Ok(some(text.as_str()));
    }
    let Some(path) = reading.manifest.readme() else { return Ok(None) };
    let text = read_text(&reading.manifest.absolute(&path))?;
    reading.read.push(path);
    Ok(if whole { some(&text) } else { some(&prose(&text)) })
}

/// Lines that a control field can hold.
fn some(text: &str) -> Option<String> {
    let good = |character: &char| *character == '\n' || !character.is_control();
    let text: String = text.replace('\t', "  ").chars().filter(good).collect();
    let text = text.trim_matches('\n').trim_end();
    (!text.trim().is_empty()).then(|| text.to_owned())
}

/// The paragraphs of a Markdown text before its first section, without what only a browser can show.
fn prose(text: &str) -> String {
    let mut paragraphs: Vec<String> = Vec::new();
    let mut current: Vec<String> = Vec::new();
    let mut fence = false;
    for line in text.lines().chain([""]) {
        let bare = line.trim();
        if bare.starts_with("```") || bare.starts_with("~~~") {
            fence = !fence;
            continue;
        }
        let is_title = bare.starts_with("# ") || bare.chars().all(|character| character == '=') && !bare.is_empty();
        let is_section = bare.starts_with("##") || (bare.len() > 2 && bare.chars().all(|character| character == '-'));
        if is_section && !paragraphs.is_empty() {
            break;
        }
        let is_ornament = is_title
            || is_section
            || bare.starts_with(['<', '|', '>'])
            || bare.starts_with("![")
            || bare.starts_with("[!");
        if fence || is_ornament {
            // An underlined title has its text above.
            if bare.starts_with("==") {
                current.clear();
            }
            continue;
        }
        if bare.is_empty() {
            if !current.is_empty() {
                paragraphs.push(std::mem::take(&mut current).join("\n"));
            }
            continue;
        }
        let plain = plain(bare);
        if !plain.trim().is_empty() {
            current.push(plain);
        }
    }
    paragraphs.truncate(4);
    paragraphs.join("\n\n")
}

/// A line without Markdown's marks: the texts of links, no images, no quotes around code.
fn plain(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(position) = rest.find(['[', '!', '`', '*']) {
        let (before, found) = rest.split_at_checked(position).unwrap_or((rest, ""));
        out.push_str(before);
        let image = found.starts_with("![");
        let link = found.strip_prefix("![").or_else(|| found.strip_prefix('['));
        let taken = link.and_then(|inner| {
            let (text, after) = inner.split_once(']')?;
            let after = match after.chars().next() {
                Some('(') => after.split_once(')')?.1,
                Some('[') => after.split_once(']')?.1,
                _ => return None,
            };
            Some((text, after))
        });
        match taken {
            Some((text, after)) => {
                if !image {
                    out.push_str(text.trim_start_matches('!'));
                }
                rest = after;
            }
            None => {
                let mut characters = found.chars();
                match characters.next() {
                    Some('`') => {}
                    Some('*') if found.starts_with("**") => drop(characters.next()),
                    Some(other) => out.push(other),
                    None => {}
                }
                rest = characters.as_str();
            }
        }
    }
    out.push_str(rest);
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_readme_the_prose_before_its_first_section_is_taken() {
        let readme = "# tool\n\n[![Build](https://ci/x.svg)](https://ci)\n<img src=x>\n\n`tool` does **things** with [files](https://e.org/f),\n\
                      and [more][1].\n\n```sh\ncargo install tool\n```\n\nIt is fast!\n\n## Building\n\ncargo build\n";
        assert_eq!(prose(readme), "tool does things with files,\nand more.\n\nIt is fast!");
        assert_eq!(prose("Tool\n====\n\nText.\n\nUsage\n-----\nmore\n"), "Text.");
        assert_eq!(prose("# only a title\n"), "");
    }

    #[test]
    fn a_description_has_neither_tabs_nor_control_characters() {
        assert_eq!(some("\n\ta\u{1b}[0m\r\n\nb\n\n"), Some("  a[0m\n\nb".to_owned()));
        assert_eq!(some(" \n\t\n"), None);
    }
}
