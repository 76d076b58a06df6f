//! Directories and files that systemd makes at boot and on installation (tmpfiles.d(5)), given as files of the repository.

use super::{Error, LineProblem, ServiceFacts, add, fields, line_problem, read_text};
use crate::config::{Settings, SystemdSettings};
use crate::target::Target;
use crate::tree::Tree;

/// Where the files go.
pub(super) const DIRECTORY: &str = "/usr/lib/tmpfiles.d";

/// Adds the files to `tree`; their base names, sorted.
pub(super) fn install(
    settings: &Settings,
    systemd: &SystemdSettings,
    service: &ServiceFacts<'_>,
    target: &Target,
    tree: &mut Tree,
) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    for file in &systemd.tmpfiles {
        let text = read_text(settings, service, "tmpfiles.d file", &file.path)?;
        for (index, line) in text.lines().enumerate() {
            check(line.trim(), target.distribution.systemd).map_err(|(problem, hint)| {
                let wrong = LineProblem { line: index + 1, problem, hint };
                line_problem(service, "tmpfiles.d file", &file.path, &text, wrong)
            })?;
        }
        let name = super::installed_name(file);
        add(service, tree, &format!("{DIRECTORY}/{name}"), &text)?;
        names.push(name);
    }
    names.sort();
    Ok(names)
}

/// The types of lines.
const TYPES: &str = "fFwdDevqQpLcbCxXrRzZtThHaA";

/// What may follow a type, and the systemd that has it for sure: its manual page tells no versions, these are the
/// oldest of the targets whose page has them.
const MODIFIERS: [(char, u32); 8] =
    [('+', 0), ('!', 0), ('-', 247), ('=', 252), ('~', 252), ('^', 252), ('$', 257), ('?', 258)];

type Refused = (String, Option<String>);

fn check(line: &str, systemd: u32) -> Result<(), Refused> {
    let refuse = |problem: String| Err((problem, None));
    if line.is_empty() || line.starts_with('#') {
        return Ok(());
    }
    // The argument is the rest of the line, whatever stands in it.
    let Some(fields) = fields(line) else { return refuse("has an unclosed quote".to_owned()) };
    let field = |index: usize| fields.get(index).map(String::as_str).filter(|field| *field != "-");
    let kind = field(0).unwrap_or_default();
    let mut letters = kind.chars();
    if !letters.next().is_some_and(|letter| TYPES.contains(letter)) {
        let hint = "see tmpfiles.d(5) for the types; `d` makes a directory".to_owned();
        return Err((format!("has the unknown type `{kind}`"), Some(hint)));
    }
    for modifier in letters {
        match MODIFIERS.iter().find(|(known, _)| *known == modifier) {
            None => return refuse(format!("has the unknown modifier `{modifier}` in `{kind}`")),
            Some((_, since)) if *since > systemd => {
                let hint = format!("leave it out: this target has systemd {systemd}");
                return Err((format!("has the modifier `{modifier}`, which systemd {since} has for sure"), Some(hint)));
            }
            Some(_) => {}
        }
    }
    let path = field(1).unwrap_or_default();
    let specifier = path.starts_with('%');
    if !(path.starts_with('/') || specifier) || path.split('/').any(|part| matches!(part, "." | "..")) {
        return refuse(format!("`{path}` is no absolute path"));
    }
    if let Some(mode) = field(2) {
        let digits = mode.trim_start_matches([':', '~']);
        if !matches!(digits.len(), 3 | 4) || !digits.bytes().all(|byte| (b'0'..=b'7').contains(&byte)) {
            return refuse(format!("`{mode}` is no mode"));
        }
    }
    for name in [3, 4].into_iter().filter_map(field) {
        let name = name.trim_start_matches(':');
        let good = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        if !good || name.is_empty() || name.starts_with('-') {
            return refuse(format!("`{name}` is neither a user's nor a group's name"));
        }
    }
    if let Some(age) = field(5)
        && !age.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"~:. ".contains(&byte))
    {
        return refuse(format!("`{age}` is no age"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_as_the_manual_page_has_them_are_taken() {
        for line in [
            "",
            "# comment",
            "d /run/acme 0750 acme acme 10d -",
            "D! /tmp/acme 1777 - - abmAM:2w",
            "L+ /etc/acme/link - - - - ../target \"with quote",
            "f /var/lib/acme/x :0644 :acme - - content",
            "d %S/acme ~0700",
            "d \"/var/lib/acme space\" 0700",
        ] {
            assert_eq!(check(line, 252), Ok(()), "{line}");
        }
    }

    #[test]
    fn hostile_and_wrong_lines_are_refused() {
        for line in [
            "d",
            "d run/acme",
            "d /run/../etc",
            "k /run/acme",
            "dd /run/acme",
            "d /run/acme rwx",
            "d /run/acme 0799",
            "d /run/acme 0750 root;id",
            "d /run/acme 0750 $(id)",
            "d /run/acme 0750 - -x",
            "d /run/acme 0750 - - $(id)",
            "d \"/run/acme",
        ] {
            assert!(check(line, 258).is_err(), "{line} must be refused");
        }
        let (problem, hint) = check("d= /run/acme", 239).expect_err("a modifier of later");
        assert!(problem.contains('=') && hint.is_some_and(|hint| hint.contains("239")), "{problem}");
    }
}
