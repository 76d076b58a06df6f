//! Who holds the copyright of a component: the notices in its licence texts, else its authors.

use std::io;

use crate::package::Component;
use crate::package::changelog::clean;

/// At most so many notices of one component are listed.
const MOST: usize = 40;
/// A longer notice is cut.
const LONGEST: usize = 160;

/// Whoever holds the copyright, one line each, never empty; the word `Copyright` itself is left out.
pub(crate) fn holders(component: &Component) -> io::Result<Vec<String>> {
    let mut found: Vec<String> = Vec::new();
    for file in &component.license_files {
        // What stands in the GNU licences is the holder of the licence's own text.
        let is_gnu = super::standard_text(file)?.is_some_and(|id| id.contains("GPL-"));
        let text = file.text()?;
        for notice in notices(&text) {
            let is_of_license = is_gnu && notice.contains("Free Software Foundation");
            if !is_of_license && !found.contains(&notice) {
                found.push(notice);
            }
            if found.len() == MOST {
                return Ok(found);
            }
        }
    }
    if found.is_empty() {
        let authors = component.authors.iter().map(|author| capped(&clean(author))).filter(|author| !author.is_empty());
        found.extend(authors.take(MOST));
    }
    if found.is_empty() {
        found.push(format!("the authors of {}", capped(&clean(&component.name))));
    }
    Ok(found)
}

/// The notices of a text; one that is broken after `by`, `and` or a comma goes on in the next line.
fn notices(text: &str) -> impl Iterator<Item = String> {
    let mut lines = text.lines().peekable();
    std::iter::from_fn(move || {
        loop {
            let Some(found) = notice(lines.next()?) else { continue };
            let goes_on = [" by", " and", ","].iter().any(|end| found.ends_with(end));
            return Some(match lines.next_if(|next| goes_on && !next.trim().is_empty() && notice(next).is_none()) {
                Some(next) => capped(&format!("{found} {}", clean(next))),
                None => found,
            });
        }
    })
}

/// `2015-2020 Jane Doe` of `# Copyright (c) 2015-2020 Jane Doe.`; `None` when the line is no notice, or a licence's example
/// of one.
fn notice(line: &str) -> Option<String> {
    let line = clean(line.get(..line.char_indices().nth(1000).map_or(line.len(), |(end, _)| end)).unwrap_or(line));
    let line = line.trim_start_matches([' ', '*', '#', '/', '-', ';', '"', '=', '.', '>']);
    let mut rest = line;
    let (mut word, mut sign) = (false, false);
    loop {
        let before = rest;
        for start in ["copyright:", "copyrights", "copyright", "(c)", "©", "&copy;"] {
            if let Some(head) = rest.get(..start.len()).filter(|head| head.eq_ignore_ascii_case(start)) {
                word |= head.len() > 6;
                sign |= head.len() <= 6;
                rest = rest.get(start.len()..).unwrap_or_default().trim_start_matches([' ', ',', ':']);
            }
        }
        if before.len() == rest.len() {
            break;
        }
    }
    let year = rest
        .split(|character: char| !character.is_ascii_digit())
        .any(|digits| digits.len() == 4 && (digits.starts_with("19") || digits.starts_with("20")));
    let example = ["yyyy", "<year>", "{year}", "[year]", "name of author", "name of copyright owner", "<name", "[name"];
    let small = rest.to_lowercase();
    let is_notice = (word || sign) && (year || (word && sign)) && !example.iter().any(|part| small.contains(part));
    let text = capped(rest.trim_end_matches(". "));
    (is_notice && text.chars().any(char::is_alphanumeric)).then_some(text)
}

fn capped(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        None => text.trim().to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default().trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::LicenseFile;
    use crate::tree::Content;

    #[test]
    fn a_notice_is_told_from_prose_and_from_examples() {
        for (line, expected) in [
            ("Copyright (c) 2015-2020 Jane Doe", Some("2015-2020 Jane Doe")),
            ("# Copyright © 2010 by the Pallets team", Some("2010 by the Pallets team")),
            (" * (c) 2001 Joe, Inc. All rights reserved.", Some("2001 Joe, Inc. All rights reserved.")),
            ("Copyright: 1999 X", Some("1999 X")),
            ("Copyright (c) individual contributors.", Some("individual contributors.")),
            ("Copyright \u{1b}[31m(c) 2020 \u{202e}evil\u{0}", Some("2020 evil")),
            ("The above copyright notice and this permission notice", None),
            ("copyright notice, this list of conditions", None),
            ("Copyright [yyyy] [name of copyright owner]", None),
            ("Copyright (C) <year>  <name of author>", None),
            ("THE COPYRIGHT HOLDERS AND CONTRIBUTORS", None),
            ("(c) You must retain, in the Source form", None),
            ("", None),
        ] {
            assert_eq!(notice(line).as_deref(), expected, "{line}");
        }
        assert_eq!(
            notice(&format!("Copyright 2020 {}", "x".repeat(100_000))).map(|text| text.chars().count()),
            Some(161)
        );
    }

    #[test]
    fn a_notice_may_go_on_in_the_next_line() {
        let text = "Copyright (c) 1996, 2006 by\n   Free Fonts and Sons\nCopyright 2001 X,\nCopyright 2002 Y and\n\nPermission";
        let found: Vec<String> = notices(text).collect();
        assert_eq!(found, ["1996, 2006 by Free Fonts and Sons", "2001 X,", "2002 Y and"]);
    }

    #[test]
    fn the_holder_of_a_gnu_licences_text_holds_nothing_of_the_component() {
        let gpl = spdx::license_id("GPL-3.0-only").expect("it").text();
        let content = Content::bytes(gpl.as_bytes());
        let file = LicenseFile { name: "COPYING".to_owned(), content, installed: None };
        let mut component = Component { name: "x".to_owned(), license_files: vec![file], ..Component::default() };
        assert_eq!(holders(&component).expect("read"), ["the authors of x"]);
        component.authors = vec!["Jane\nDoe <jane@example.org>".to_owned()];
        assert_eq!(holders(&component).expect("read"), ["Jane Doe <jane@example.org>"]);
    }
}
