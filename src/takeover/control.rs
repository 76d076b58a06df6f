//! debian/control and debian/changelog: metadata, relations, version.

use std::collections::BTreeSet;

use toml::Value;

use super::Draft;
use super::debian::Debian;
use super::stanzas::{self, Release};
use crate::config::{Guess, Setting, read_text, value};
use crate::relation::{RelationKind, debian as relation};
use crate::target::{Format, distributions};

/// What debhelper replaces, and packhouse finds out by itself.
const FOUND_OUT: [&str; 12] = [
    "${misc:Depends}",
    "${misc:Pre-Depends}",
    "${misc:Recommends}",
    "${misc:Suggests}",
    "${misc:Built-Using}",
    "${shlibs:Depends}",
    "${shlibs:Pre-Depends}",
    "${shlibs:Recommends}",
    "${python:Depends}",
    "${python3:Depends}",
    "${python3:Provides}",
    "${perl:Depends}",
];

/// Fields with a place of their own, or of no meaning for a binary package.
const READ: [&str; 9] = [
    "Package",
    "Architecture",
    "Section",
    "Priority",
    "Multi-Arch",
    "Homepage",
    "Description",
    "Maintainer",
    "Package-Type",
];

pub(super) fn control(debian: &Debian, draft: &mut Draft) {
    let either = |name: &str| debian.package.get(name).or_else(|| debian.source.get(name)).map(str::trim);
    if let Some(text) = debian.source.get("Maintainer") {
        match value::maintainer(text) {
            Ok(maintainer) => draft.maintainer = Some(Guess::new(maintainer, "from debian/control")),
            Err(problem) => draft.leave("Maintainer of debian/control", problem),
        }
    }
    if let Some(homepage) = either("Homepage") {
        match value::web_address(homepage, &["https", "http"]) {
            Ok(_) => draft.project.push(Setting::new("homepage", homepage)),
            Err(problem) => draft.leave("Homepage of debian/control", problem),
        }
    }
    targets(debian, draft);
    if let Some(release) = &debian.release {
        version(debian, release, draft);
    }
    if let Some(text) = debian.package.get("Description") {
        description(debian, text, draft);
    }
    if let Some(section) = either("Section").filter(|section| *section != "misc") {
        match value::section(section) {
            Ok(()) => draft.service.push(Setting::new("section", section)),
            Err(problem) => draft.leave("Section of debian/control", problem),
        }
    }
    // `extra` has meant `optional` since Debian Policy 4.0.1.
    if let Some(priority @ ("required" | "important" | "standard")) = either("Priority") {
        draft.service.push(Setting::new("priority", priority));
    }
    if let Some(kind @ ("same" | "foreign" | "allowed")) = debian.package.get("Multi-Arch") {
        draft.service.push(Setting::new("multi-arch", kind));
    }
    license(debian, draft);
    relations(debian, draft);
    let related: Vec<&str> = RelationKind::ALL.iter().filter_map(|(kind, _)| kind.field(Format::Deb)).collect();
    for name in debian.package.names() {
        let is_read = READ.iter().chain(&related).any(|known| known.eq_ignore_ascii_case(name));
        if !is_read && !(name.eq_ignore_ascii_case("Essential") && debian.package.get(name) == Some("no")) {
            draft.leave(format!("{name} of debian/control"), "packhouse has no key for this field");
        }
    }
}

/// The distribution that the changelog names.
fn targets(debian: &Debian, draft: &mut Draft) {
    const DEFAULT: &str = "debian-12";
    let named = debian.release.as_ref().map(|release| release.distribution.as_str()).unwrap_or_default();
    let suite = named.split('-').next().unwrap_or_default();
    let known = distributions();
    let found = known.iter().find(|one| one.suite == suite && one.format == Format::Deb);
    let (target, reason) = match found {
        Some(found) => (found.name.clone(), format!("debian/changelog is for {named}.")),
        None => (DEFAULT.to_owned(), format!("debian/changelog is for `{named}`, which is no release.")),
    };
    let comment = format!("{reason} With \"el9\" beside it, the same service becomes an RPM as well.");
    draft.project.push(Setting::new("targets", vec![target]).because(comment));
}

/// The version, and a revision that is newer than what dh-virtualenv has built: `1.0-1~deb12u1` is older than `1.0-1`.
fn version(debian: &Debian, release: &Release, draft: &mut Draft) {
    let Release { epoch, upstream, revision, .. } = release;
    let plain = upstream.replace('~', "");
    let of_manifest = debian.member.version.as_deref();
    if of_manifest.is_none_or(|version| version != plain && version != upstream) {
        let reason = match of_manifest {
            Some(version) => {
                format!("debian/changelog has this version, {} has {version}.", debian.member.manifest.display())
            }
            None => format!(
                "debian/changelog has this version, and {} none. Without the key, a git tag like v{plain} tells it.",
                debian.member.manifest.display()
            ),
        };
        match value::version(upstream) {
            Ok(()) => draft.service.push(Setting::new("version", upstream.as_str()).because(reason)),
            Err(problem) => draft.leave("the version of debian/changelog", problem),
        }
    }
    if let Some(epoch) = epoch.filter(|epoch| *epoch > 0) {
        draft.service.push(Setting::new("epoch", i64::from(epoch)));
    }
    if let Some(revision) = revision {
        let number: String = revision.chars().take_while(char::is_ascii_digit).collect();
        let number: i64 = number.parse().ok().filter(|number| *number < 999_999).unwrap_or(0);
        let reason = format!(
            "So that the package is newer than {upstream}-{revision}, which dh-virtualenv has built. Not needed after the \
             next version."
        );
        draft.service.push(Setting::new("revision", number + 1).because(reason));
    }
}

fn description(debian: &Debian, text: &str, draft: &mut Draft) {
    let (synopsis, long) = stanzas::description(text);
    if Some(synopsis.as_str()) != debian.member.summary.as_deref() {
        match value::one_line(&synopsis) {
            Ok(()) => draft.service.push(Setting::new("summary", synopsis)),
            Err(problem) => draft.leave("the synopsis of debian/control", problem),
        }
    }
    let Some(long) = long else { return };
    match value::lines(&long) {
        Ok(()) => draft.service.push(Setting::new("description", long)),
        Err(problem) => draft.leave("the description of debian/control", problem),
    }
}

/// The licence that debian/copyright has for all files, where the manifest has none (DEP-5's short names).
fn license(debian: &Debian, draft: &mut Draft) {
    if debian.member.license.is_some() {
        return;
    }
    let path = debian.root.join(&debian.base).join("debian/copyright");
    let Ok(text) = read_text(&path) else { return };
    let stanzas = stanzas::parse(&text);
    let Some(all) = stanzas.iter().find(|stanza| stanza.get("Files").is_some_and(|files| files.trim() == "*")) else {
        return;
    };
    let short = all.get("License").and_then(|license| license.lines().next()).unwrap_or_default().trim();
    let spdx: Vec<String> = short.split_whitespace().map(spdx).collect();
    let spdx = spdx.join(" ");
    if !spdx.is_empty() && value::spdx(&spdx).is_ok() {
        draft.service.push(Setting::new("license", spdx).because("From debian/copyright, as an SPDX expression."));
    }
}

/// The SPDX identifier of a short name.
fn spdx(word: &str) -> String {
    let gnu = |word: &str| match word.strip_suffix('+') {
        Some(base) => format!("{}-or-later", dotted(base)),
        None => format!("{}-only", dotted(word)),
    };
    match word {
        "and" => "AND".to_owned(),
        "or" => "OR".to_owned(),
        "Expat" => "MIT".to_owned(),
        "BSD-2-clause" => "BSD-2-Clause".to_owned(),
        "BSD-3-clause" => "BSD-3-Clause".to_owned(),
        "Apache-2" => "Apache-2.0".to_owned(),
        _ if ["GPL-", "LGPL-", "AGPL-"].iter().any(|start| word.starts_with(start)) => gnu(word),
        other => other.to_owned(),
    }
}

/// `GPL-3` is `GPL-3.0`.
fn dotted(name: &str) -> String {
    if name.contains('.') { name.to_owned() } else { format!("{name}.0") }
}

fn relations(debian: &Debian, draft: &mut Draft) {
    let mut carried = false;
    for (kind, key) in RelationKind::ALL {
        let Some(field) = kind.field(Format::Deb) else { continue };
        let mut seen = BTreeSet::new();
        let mut kept: Vec<Value> = Vec::new();
        for text in debian.package.list(field) {
            if FOUND_OUT.contains(&text.as_str()) {
                continue;
            }
            let plain = unrestricted(&text);
            let spelt =
                plain.and_then(|plain| relation::canonical(kind, &plain).map_err(|invalid| invalid.to_string()));
            match spelt {
                Ok(spelt) if seen.insert(spelt.clone()) => kept.push(spelt.into()),
                Ok(_) => {}
                Err(why) => draft.leave(format!("`{text}` in {field} of debian/control"), why),
            }
        }
        if !kept.is_empty() {
            let lists = toml::Table::from_iter([("deb".to_owned(), Value::Array(kept))]);
            let mut setting = Setting::new(key, lists);
            if !carried {
                setting = setting.because(
                    "From debian/control. What is found by looking (libraries, the interpreter) need not be named. Packages \
                     have other names elsewhere: add `rpm = […]` for RPM.",
                );
            }
            carried = true;
            draft.service.push(setting);
        }
    }
}

/// A relation without restrictions to architectures and profiles that hold for every package that is built.
fn unrestricted(text: &str) -> Result<String, String> {
    let is_operator =
        |at: &usize| ["<<", "<="].iter().any(|operator| text.get(at + 1..).unwrap_or_default().starts_with(operator));
    let start = text.find(" [").or_else(|| text.find(" <").filter(|at| !is_operator(at)));
    let Some((relation, restriction)) = start.and_then(|at| text.split_at_checked(at)) else {
        return Ok(text.to_owned());
    };
    let words: Vec<&str> = restriction.trim_matches(['[', ']', '<', '>', ' ']).split_whitespace().collect();
    let holds = if restriction.starts_with(" [") {
        words.iter().any(|word| matches!(*word, "any" | "linux-any")) || words.iter().all(|word| *word == "!hurd-any")
    } else {
        // No profile is in force.
        words.iter().all(|word| word.starts_with('!'))
    };
    if holds && !text.contains('|') {
        return Ok(relation.trim().to_owned());
    }
    Err("a restriction to architectures or profiles has no place here: write it for the targets that need it"
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restrictions_that_always_hold_are_taken_off() {
        assert_eq!(unrestricted("a (>= 1)"), Ok("a (>= 1)".to_owned()));
        assert_eq!(unrestricted("a (<< 1)"), Ok("a (<< 1)".to_owned()));
        assert_eq!(unrestricted("a (<< 1) [!hurd-any]"), Ok("a (<< 1)".to_owned()));
        assert_eq!(unrestricted("a (<= 1) [linux-any]"), Ok("a (<= 1)".to_owned()));
        assert_eq!(unrestricted("a <!nocheck>"), Ok("a".to_owned()));
        for other in ["a [amd64]", "a <stage1>", "a | b [linux-any]"] {
            assert!(unrestricted(other).is_err(), "{other}");
        }
    }

    #[test]
    fn short_names_become_spdx_expressions() {
        for (short, expected) in [
            ("Expat", "MIT"),
            ("GPL-3+", "GPL-3.0-or-later"),
            ("LGPL-2.1", "LGPL-2.1-only"),
            ("Apache-2.0", "Apache-2.0"),
            ("BSD-3-clause", "BSD-3-Clause"),
        ] {
            assert_eq!(spdx(short), expected);
        }
    }
}
