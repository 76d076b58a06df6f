//! What each value of a configuration must look like. Pure functions from a text to a type or to the rule it breaks.

use std::path::{Component, Path, PathBuf};

use globset::{Glob, GlobBuilder};

use super::Maintainer;

/// The rule that a text breaks.
pub(crate) type Rule = String;

fn rule<T>(text: impl Into<String>) -> Result<T, Rule> {
    Err(text.into())
}

/// A text of one line, not empty, without control characters.
pub(crate) fn one_line(text: &str) -> Result<(), Rule> {
    if text.trim().is_empty() {
        return rule("is empty");
    }
    if text.chars().any(is_unprintable) {
        return rule("must be one line without control characters");
    }
    Ok(())
}

/// A text of several lines, not empty, without control characters.
pub(crate) fn lines(text: &str) -> Result<(), Rule> {
    if text.trim().is_empty() {
        return rule("is empty");
    }
    if text.chars().any(|character| character != '\n' && is_unprintable(character)) {
        return rule("has control characters");
    }
    Ok(())
}

/// Control characters, and those that change the direction of what follows.
fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `Name <mail@example.org>` (Debian Policy 5.6.2, RPM's `Packager`).
pub(crate) fn maintainer(text: &str) -> Result<Maintainer, Rule> {
    one_line(text)?;
    let parts = text.trim().strip_suffix('>').and_then(|text| text.split_once('<'));
    let Some((name, mail)) = parts else {
        return rule(format!("`{text}` is not of the form `Name <mail@example.org>`"));
    };
    let name = name.trim();
    if name.is_empty() || name.contains(['<', '>']) {
        return rule(format!("`{text}` has no name before the address"));
    }
    let good = mail.split_once('@').is_some_and(|(local, domain)| {
        let allowed =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>,;:\"()[]\\@".contains(&byte));
        !local.is_empty() && !domain.is_empty() && allowed(local) && allowed(domain) && !domain.starts_with('.')
    });
    if !good {
        return rule(format!("`{mail}` is no mail address"));
    }
    Ok(Maintainer { name: name.to_owned(), mail: mail.to_owned() })
}

/// An SPDX licence expression by its grammar (SPDX 2.3, annex D); whether the identifiers exist is not looked up.
pub(crate) fn spdx(text: &str) -> Result<(), Rule> {
    one_line(text)?;
    let spaced = text.replace('(', " ( ").replace(')', " ) ");
    let (mut depth, mut operand) = (0_usize, false);
    for word in spaced.split_whitespace() {
        match (word, operand) {
            ("(", false) => depth += 1,
            (")", true) if depth > 0 => depth -= 1,
            ("AND" | "OR" | "WITH", true) => operand = false,
            ("(" | ")" | "AND" | "OR" | "WITH", _) => return rule(format!("`{word}` stands in a wrong place")),
            (_, true) => return rule(format!("`AND`, `OR` or `WITH` is missing before `{word}`")),
            (identifier, false) => {
                let bare = identifier.strip_suffix('+').unwrap_or(identifier);
                let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-:".contains(&byte);
                if bare.is_empty() || !bare.bytes().all(allowed) {
                    return rule(format!("`{identifier}` is no SPDX identifier"));
                }
                operand = true;
            }
        }
    }
    if depth != 0 || !operand {
        return rule("the expression is not complete");
    }
    Ok(())
}

/// An address of the web without credentials.
pub(crate) fn web_address(text: &str, schemes: &[&str]) -> Result<url::Url, Rule> {
    one_line(text)?;
    // A parser of URLs mends blanks; a control field would show them as they are.
    if text.contains(char::is_whitespace) {
        return rule("must not contain blanks");
    }
    let url = url::Url::parse(text).map_err(|error| format!("`{text}` is no URL: {error}"))?;
    if !schemes.contains(&url.scheme()) {
        return rule(format!(
            "must start with {}",
            schemes.iter().map(|scheme| format!("`{scheme}://`")).collect::<Vec<_>>().join(" or ")
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return rule("must not hold credentials");
    }
    Ok(url)
}

/// A path below some directory: relative, `/`-separated, without `..`; `.` is the directory itself and gives an empty
/// path.
pub(crate) fn relative_path(text: &str) -> Result<PathBuf, Rule> {
    one_line(text)?;
    // PATH_MAX of Linux.
    if text.len() > 4096 {
        return rule("is longer than a path may be");
    }
    if text.contains('\\') {
        return rule(format!("`{text}` must use `/` as its separator"));
    }
    let mut path = PathBuf::new();
    for component in Path::new(text).components() {
        match component {
            Component::Normal(name) => path.push(name),
            Component::CurDir => {}
            Component::ParentDir => return rule(format!("`{text}` must not contain `..`")),
            Component::RootDir | Component::Prefix(_) => return rule(format!("`{text}` must be relative")),
        }
    }
    Ok(path)
}

/// A path below some directory that is not the directory itself.
pub(crate) fn file_path(text: &str) -> Result<PathBuf, Rule> {
    let path = relative_path(text)?;
    if path.as_os_str().is_empty() { rule(format!("`{text}` must name something in the directory")) } else { Ok(path) }
}

/// A path below `root` that stays there when symbolic links are resolved, as far as it exists.
pub(crate) fn path_in(root: &Path, text: &str) -> Result<PathBuf, Rule> {
    let path = relative_path(text)?;
    if stays_inside(root, &root.join(&path)) { Ok(path) } else { rule(format!("`{text}` leads out of the repository")) }
}

/// Whether `path`, as far as it exists, is inside `root` (absolute, resolved) when symbolic links are resolved.
pub(crate) fn stays_inside(root: &Path, path: &Path) -> bool {
    let existing = path.ancestors().find(|path| path.symlink_metadata().is_ok());
    existing.and_then(|path| path.canonicalize().ok()).is_some_and(|path| path.starts_with(root))
}

/// A glob over paths relative to the root; `*` does not match `/`.
pub(crate) fn glob(text: &str) -> Result<Glob, Rule> {
    one_line(text)?;
    if text.starts_with('/') || text.split('/').any(|part| part == "..") {
        return rule(format!("`{text}` must be relative to the repository's root, without `..`"));
    }
    let trimmed = text.trim_start_matches("./").trim_end_matches('/');
    let trimmed = if trimmed == "." { "" } else { trimmed };
    GlobBuilder::new(trimmed).literal_separator(true).build().map_err(|error| format!("{}", error.kind()))
}

fn made_of(text: &str, punctuation: &[u8]) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || punctuation.contains(&byte))
}

/// A version as manifests write it (SemVer or PEP 440); it is mapped to each format's order later.
pub(crate) fn version(text: &str) -> Result<(), Rule> {
    if !made_of(text, b".+~^!_-") || !text.starts_with(|first: char| first.is_ascii_digit()) || text.len() > 100 {
        return rule(format!(
            "`{text}` is no version: it must start with a digit and hold only letters, digits and `.+~-_^!`"
        ));
    }
    Ok(())
}

/// A section of Debian's archive (Debian Policy 2.4), with its area if it is not `main`.
pub(crate) fn section(text: &str) -> Result<(), Rule> {
    let good = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-/".contains(&byte))
        && text.split('/').count() <= 2
        && text.split('/').all(|part| !part.is_empty());
    if good { Ok(()) } else { rule(format!("`{text}` is no section")) }
}

/// The name of a file in `/usr/bin`.
pub(crate) fn command(text: &str) -> Result<(), Rule> {
    if !made_of(text, b"._+-") || text.starts_with(['-', '.']) || text.len() > 100 {
        return rule(format!("`{text}` cannot be a command: only letters, digits and `._+-` are allowed"));
    }
    Ok(())
}

/// The suffixes of systemd's units that a package brings (systemd.unit(5)).
const UNIT_SUFFIXES: [&str; 7] = ["service", "socket", "timer", "path", "target", "mount", "slice"];

/// A unit file's path: its name must be one that systemd takes (systemd.unit(5)), or that of a drop-in of one
/// (`x.service.d/y.conf`).
pub(crate) fn unit(text: &str) -> Result<PathBuf, Rule> {
    let path = relative_path(text)?;
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let is_unit = |name: &str| {
        name.rsplit_once('.').is_some_and(|(stem, suffix)| {
            made_of(stem, b":-_.\\@")
                && !stem.starts_with(['.', '-', '@'])
                && stem.matches('@').count() <= 1
                && UNIT_SUFFIXES.contains(&suffix)
                && name.len() <= 255
        })
    };
    let directory = path.parent().and_then(|parent| parent.file_name()).and_then(|name| name.to_str());
    let drop_in = directory.and_then(|directory| directory.strip_suffix(".d")).is_some_and(is_unit)
        && name.strip_suffix(".conf").is_some_and(|stem| made_of(stem, b"-_.") && !stem.starts_with(['.', '-']));
    if !is_unit(name) && !drop_in {
        return rule(format!("`{name}` is no unit's name: it must end in one of .{}", UNIT_SUFFIXES.join(", .")));
    }
    Ok(path)
}

/// Users that exist everywhere and that no package may take for its service.
const RESERVED_USERS: [&str; 4] = ["root", "nobody", "daemon", "bin"];

/// A system user's name (systemd's strict mode, <https://systemd.io/USER_NAMES/>, and useradd(8)).
pub(crate) fn user(text: &str) -> Result<(), Rule> {
    let good = text.len() <= 31
        && text.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte));
    if !good {
        return rule(format!("`{text}` is no user's name: a lower-case letter or `_`, then at most 30 of `a-z0-9_-`"));
    }
    if RESERVED_USERS.contains(&text) {
        return rule(format!("`{text}` is a user of the system"));
    }
    Ok(())
}

/// A name of the Python world (PEP 508), as it is written.
pub(crate) fn python_name(text: &str) -> Result<(), Rule> {
    let ends = |text: &str| text.starts_with(|end: char| end.is_ascii_alphanumeric());
    let last = text.bytes().last().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if made_of(text, b"._-") && ends(text) && last { Ok(()) } else { rule(format!("`{text}` is no package's name")) }
}

/// A name of the Python world in which `*` stands for anything.
pub(crate) fn python_pattern(text: &str) -> Result<(), Rule> {
    let rest = text.replace('*', "");
    if made_of(&rest, b"._-") {
        Ok(())
    } else {
        rule(format!("`{text}` is neither a package's name nor a pattern like `acme-*`"))
    }
}

/// A word: letters, digits and what `punctuation` allows.
pub(crate) fn word(text: &str, punctuation: &str) -> Result<(), Rule> {
    if made_of(text, punctuation.as_bytes()) && !text.starts_with('-') {
        return Ok(());
    }
    rule(format!("`{text}` may hold only letters, digits and `{punctuation}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_maintainer_is_a_name_and_an_address() {
        let parsed = maintainer("Acme Cloud <cloud@acme.example>").unwrap();
        assert_eq!(parsed.to_string(), "Acme Cloud <cloud@acme.example>");
        for wrong in
            ["", "Acme", "<a@b>", "Acme <a>", "Acme <@b>", "A\nB <a@b>", "A <a@b> c", "A <a@b, c@d>", "A <B <a@b>"]
        {
            assert!(maintainer(wrong).is_err(), "{wrong:?} must be refused");
        }
    }

    #[test]
    fn licence_expressions_follow_the_grammar() {
        for good in [
            "MIT",
            "MIT OR Apache-2.0",
            "(MIT AND BSD-3-Clause) OR GPL-2.0+",
            "GPL-2.0-only WITH Classpath-exception-2.0",
        ] {
            assert_eq!(spdx(good), Ok(()), "{good}");
        }
        for wrong in ["", "MIT Apache-2.0", "MIT OR", "OR MIT", "(MIT", "MIT)", "MIT/Apache-2.0", "see LICENSE,"] {
            assert!(spdx(wrong).is_err(), "{wrong:?} must be refused");
        }
    }

    #[test]
    fn paths_that_leave_their_directory_are_refused() {
        assert_eq!(relative_path("./etc//acme.toml"), Ok(PathBuf::from("etc/acme.toml")));
        assert_eq!(relative_path("."), Ok(PathBuf::new()));
        for wrong in ["", "/etc/passwd", "../x", "a/../../x", "a\\b", "a\nb", "a\0b"] {
            assert!(relative_path(wrong).is_err(), "{wrong:?} must be refused");
        }
    }

    #[test]
    fn a_symbolic_link_does_not_lead_out_of_the_root() {
        let outside = tempfile::tempdir().unwrap();
        let inside = tempfile::tempdir().unwrap();
        let root = inside.path().canonicalize().unwrap();
        std::os::unix::fs::symlink(outside.path(), root.join("link")).unwrap();
        assert!(path_in(&root, "link/secret").is_err());
        assert_eq!(path_in(&root, "not/there/yet"), Ok(PathBuf::from("not/there/yet")));
    }

    #[test]
    fn users_units_and_commands_follow_their_systems_rules() {
        assert!(user("acme-api").is_ok() && user("_acme").is_ok());
        for wrong in ["", "Acme", "1acme", "acme.api", "root", "a;b", &"a".repeat(32)] {
            assert!(user(wrong).is_err(), "{wrong:?} must be refused");
        }
        assert!(unit("systemd/acme@.service").is_ok() && unit("acme.timer").is_ok());
        assert!(unit("systemd/acme.service.d/limits.conf").is_ok());
        for wrong in [
            "acme",
            "acme.conf",
            "sysusers.d/acme.conf",
            "acme.service.d/a b.conf",
            ".service",
            "-x.service",
            "a@b@c.service",
            "a b.service",
            "$(id).service",
            "a'b.service",
            "a;b.service",
            "a\nb.service",
            "a%n.service",
            "../acme.service",
        ] {
            assert!(unit(wrong).is_err(), "{wrong:?} must be refused");
        }
        assert!(command("acme-api").is_ok() && command("a.b_c+d").is_ok());
        for wrong in ["", "-x", ".x", "a/b", "a b", "ä"] {
            assert!(command(wrong).is_err(), "{wrong:?} must be refused");
        }
    }

    #[test]
    fn credentials_do_not_stand_in_addresses() {
        assert!(web_address("https://pypi.example.org/simple", &["https"]).is_ok());
        assert!(web_address("https://user:secret@pypi.example.org/simple", &["https"]).is_err());
        assert!(web_address("ftp://example.org", &["http", "https"]).is_err());
    }
}
