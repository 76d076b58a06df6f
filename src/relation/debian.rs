//! Relations as Debian's control files have them (Policy 7.1, deb-control(5); what dpkg's `lib/dpkg/fields.c` accepts).

use super::{Invalid, RelationKind, invalid, plain};

/// What a relation looks like.
const SHAPE: &str = "write each relation on its own: `name`, `name (>= version)`, `one | other`";

/// One relation of the field that `kind` has, alternatives included, in the spelling of dpkg-gencontrol:
/// `one (>= 1.2) | other`.
pub fn canonical(kind: RelationKind, text: &str) -> Result<String, Invalid> {
    let text = plain(text)?;
    let alternatives: Vec<&str> = text.split('|').collect();
    let may_choose = matches!(
        kind,
        RelationKind::Depends | RelationKind::PreDepends | RelationKind::Recommends | RelationKind::Suggests
    );
    if alternatives.len() > 1 && !may_choose {
        return invalid(
            format!("`{text}` has alternatives, which only dependencies may have"),
            "write one relation for each package",
        );
    }
    let spelt: Vec<String> =
        alternatives.into_iter().map(|one| alternative(kind, one.trim(), text)).collect::<Result<_, _>>()?;
    Ok(spelt.join(" | "))
}

fn alternative(kind: RelationKind, text: &str, whole: &str) -> Result<String, Invalid> {
    if text.is_empty() {
        return invalid(format!("`{whole}` has nothing beside a `|`"), SHAPE);
    }
    let ends = |character: char| matches!(character, ' ' | '(' | '[' | '<' | ':');
    let (name, rest) = text.split_at_checked(text.find(ends).unwrap_or(text.len())).unwrap_or((text, ""));
    package_name(name)?;
    let (qualifier, rest) = qualifier(kind, rest)?;
    let rest = rest.trim();
    let built_using = matches!(kind, RelationKind::BuiltUsing | RelationKind::StaticBuiltUsing);
    if rest.is_empty() && built_using {
        return invalid(format!("`{text}` has no version"), format!("write `{name} (= version)` (Policy 7.8)"));
    }
    if rest.is_empty() {
        return Ok(format!("{name}{qualifier}"));
    }
    if rest.starts_with('[') || rest.contains(") [") || rest.contains(")[") {
        return invalid(
            format!("`{text}` has a restriction to architectures, which only source packages may have (Policy 7.1)"),
            "leave it out: a package is of one architecture",
        );
    }
    if rest.starts_with('<') || rest.contains(") <") || rest.contains(")<") {
        return invalid(
            format!("`{text}` has a build profile, which only source packages may have"),
            format!("leave it out; a version stands in parentheses: `{name} (>= version)`"),
        );
    }
    let inner = rest.strip_prefix('(').and_then(|inner| inner.strip_suffix(')'));
    let Some(inner) = inner.filter(|inner| !inner.contains(['(', ')'])) else {
        return invalid(format!("`{rest}` after `{name}` is no version in parentheses"), SHAPE);
    };
    let (operator, version) = comparison(inner.trim(), name)?;
    if operator != "=" && (built_using || kind == RelationKind::Provides) {
        let rule = format!("`{text}` must name one version: only `=` is allowed here");
        return invalid(rule, format!("write `{name} (= {version})`"));
    }
    Ok(format!("{name}{qualifier} ({operator} {version})"))
}

/// Policy 5.6.1.
fn package_name(name: &str) -> Result<(), Invalid> {
    let good = name.len() >= 2
        && name.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte));
    if good {
        return Ok(());
    }
    invalid(
        format!("`{name}` is no package's name: at least two of `a-z0-9+-.`, a letter or digit first (Policy 5.6.1)"),
        SHAPE,
    )
}

/// `:any` or `:ARCHITECTURE` after a name.
fn qualifier(kind: RelationKind, rest: &str) -> Result<(&str, &str), Invalid> {
    if !rest.starts_with(':') {
        return Ok(("", rest));
    }
    let end = rest.find([' ', '(', '[', '<']).unwrap_or(rest.len());
    let (qualifier, rest) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let name = qualifier.trim_start_matches(':');
    let good = qualifier.len() == name.len() + 1
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !good || name == "native" {
        let rule = format!("`{qualifier}` cannot qualify a relation of a binary package");
        return invalid(rule, "write `name:any`, or the name alone");
    }
    if matches!(kind, RelationKind::Provides | RelationKind::BuiltUsing | RelationKind::StaticBuiltUsing) {
        return invalid(format!("`{qualifier}` is not allowed here"), "write the name alone");
    }
    Ok((qualifier, rest))
}

fn comparison<'a>(inner: &'a str, name: &str) -> Result<(&'a str, &'a str), Invalid> {
    let end = inner.find(|character| !matches!(character, '<' | '>' | '=')).unwrap_or(inner.len());
    let (operator, version) = inner.split_at_checked(end).unwrap_or((inner, ""));
    let version = version.trim_start();
    match operator {
        "<<" | "<=" | "=" | ">=" | ">>" => {}
        "<" | ">" => {
            let rule = format!("the operator `{operator}` is obsolete and means `{operator}=` (Policy 7.1)");
            return invalid(rule, format!("write `{operator}{operator}` or `{operator}=`"));
        }
        "" => {
            return invalid(
                format!("`({inner})` has no operator"),
                format!("write `{name} (>= {inner})` or `{name} (= {inner})`"),
            );
        }
        other => {
            return invalid(format!("`{other}` is no operator"), "it is one of `<<`, `<=`, `=`, `>=`, `>>`");
        }
    }
    check_version(version)?;
    Ok((operator, version))
}

/// A version as Policy 5.6.12 and dpkg's `lib/dpkg/parsehelp.c` have it: `[epoch:]upstream[-revision]`.
pub fn check_version(version: &str) -> Result<(), Invalid> {
    let wrong = |rule: String| invalid(rule, "write it like `1.2.3`, `1.2.3-1` or `1:1.2.3-1` (Policy 5.6.12)");
    if version.is_empty() {
        return wrong("the version is missing".to_owned());
    }
    let (epoch, rest) = version.split_once(':').unwrap_or(("0", version));
    let number = epoch.bytes().all(|byte| byte.is_ascii_digit()).then(|| epoch.parse::<i32>().ok()).flatten();
    if number.is_none() {
        return wrong(format!("the epoch of `{version}` is no number"));
    }
    let (upstream, revision) = rest.rsplit_once('-').map_or((rest, None), |(upstream, rest)| (upstream, Some(rest)));
    if !upstream.starts_with(|first: char| first.is_ascii_digit()) {
        return wrong(format!("the version `{version}` does not begin with a digit"));
    }
    let made_of =
        |text: &str, more: &[u8]| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte));
    if !made_of(upstream, b".+-~") || revision.is_some_and(|text| text.is_empty() || !made_of(text, b".+~")) {
        return wrong(format!("`{version}` has what no version has: only letters, digits and `.+-~` are allowed"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use RelationKind::{BuiltUsing, Conflicts, Depends, Enhances, Provides, Recommends};

    /// Text, and what becomes of it in `Depends`.
    const GOOD: [(&str, &str); 9] = [
        ("libc6", "libc6"),
        ("libc6 (>= 2.36)", "libc6 (>= 2.36)"),
        ("python3.11:any(>=3.11.2-6)", "python3.11:any (>= 3.11.2-6)"),
        ("a1|b2  ( << 1:2.0~rc1+b1-0ubuntu1 ) |c3", "a1 | b2 (<< 1:2.0~rc1+b1-0ubuntu1) | c3"),
        ("  g++ (= 4:12-1)  ", "g++ (= 4:12-1)"),
        ("libfoo:amd64", "libfoo:amd64"),
        ("0ad (>> 0)", "0ad (>> 0)"),
        ("x11-common (<= 1-2-3)", "x11-common (<= 1-2-3)"),
        ("default-mta | mail-transport-agent", "default-mta | mail-transport-agent"),
    ];

    const BAD: [&str; 34] = [
        "",
        " ",
        "a",
        "A1",
        "-a1",
        "a_b",
        "a1,b2",
        "a1 b2",
        "a1 (1)",
        "a1 (> 1)",
        "a1 (< 1)",
        "a1 (== 1)",
        "a1 (>= )",
        "a1 (>= 1",
        "a1 >= 1)",
        "a1 >= 1",
        "a1 (>= 1) (<< 2)",
        "a1 (>= 1) x",
        "a1 (>= v1)",
        "a1 (>= 1_0)",
        "a1 (>= 1-)",
        "a1 (>= x:1)",
        "a1 (>= 99999999999:1)",
        "a1 (>= 1 2)",
        "a1 [amd64]",
        "a1 (>= 1) [amd64]",
        "a1 <!nocheck>",
        "a1:native",
        "a1:",
        "a1 |",
        "| a1",
        "a1 || b2",
        "a1 (>= ((1)))",
        "a1 :any",
    ];

    #[test]
    fn relations_take_the_spelling_of_dpkg() {
        for (text, spelt) in GOOD {
            assert_eq!(canonical(Depends, text).as_deref(), Ok(spelt), "{text}");
        }
        for text in BAD {
            let error = canonical(Depends, text).expect_err(text);
            assert!(!error.hint.is_empty(), "{text}");
        }
    }

    #[test]
    fn each_field_has_its_own_rules() {
        assert!(canonical(Recommends, "a1 | b2").is_ok());
        for kind in [Conflicts, Enhances, Provides] {
            assert!(canonical(kind, "a1 | b2").is_err(), "{kind:?}");
        }
        assert!(canonical(Provides, "a1 (= 1)").is_ok() && canonical(Provides, "a1").is_ok());
        assert!(canonical(Provides, "a1 (>= 1)").is_err() && canonical(Provides, "a1:any").is_err());
        assert!(canonical(BuiltUsing, "gcc-12 (= 12.2.0-14)").is_ok());
        assert!(canonical(BuiltUsing, "gcc-12").is_err() && canonical(BuiltUsing, "gcc-12 (>= 12)").is_err());
    }

    #[test]
    fn nothing_of_another_line_or_language_gets_through() {
        for text in [
            "a1\nEssential: yes",
            "a1\r",
            "a1\0",
            "a1\tb2",
            "${misc:Depends}",
            "a1 (= ${binary:Version})",
            "a1 (>= %(touch x))",
            "a1\u{202e}b",
            "a1\u{1b}[31m",
            "ä1",
            &"a".repeat(1001),
        ] {
            assert!(canonical(Depends, text).is_err(), "{text:?}");
        }
    }

    /// dpkg-deb parses the control file that it packs. It is more lenient in some things (upper case, `a_b`), never
    /// stricter.
    #[test]
    fn dpkg_accepts_what_is_accepted_here() {
        let place = tempfile::tempdir().expect("a directory");
        let control = place.path().join("x/DEBIAN/control");
        fs_err::create_dir_all(control.parent().expect("a parent")).expect("made");
        let packs = |field: &str, text: &str| {
            let text = format!(
                "Package: xx\nVersion: 1\nArchitecture: all\nMaintainer: A <a@example.org>\n{field}: {text}\nDescription: x\n"
            );
            fs_err::write(&control, text).expect("written");
            let mut command = Command::new("dpkg-deb");
            command.args(["-Znone", "--root-owner-group", "-b", "x", "x.deb"]).current_dir(place.path());
            command.output().expect("dpkg-deb").status.success()
        };
        for (text, spelt) in GOOD {
            assert!(packs("Depends", spelt), "{text}");
        }
        assert!(packs("Provides", "a1 (= 1)") && packs("Conflicts", "a1 (<< 1)"));
        for text in BAD.iter().filter(|text| !matches!(**text, "" | " " | "a" | "A1" | "a_b" | "a1,b2")) {
            let lenient = ["a1 (1)", "a1 (> 1)", "a1 (< 1)", "a1:native", "a1 (>= v1)"].contains(text);
            assert!(lenient || !packs("Depends", text), "{text}");
        }
    }
}
