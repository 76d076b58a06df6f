//! Relations: taken apart, mended where dpkg would not take them, and what of them an RPM can have.
//!
//! Source: cargo-deb 3.8.0, `src/config.rs` (`resolved_binary_dependencies`); Debian Policy 7. Names of packages are not the
//! same in Debian and in RPM's distributions, so what needs another package is for Debian alone; what a package provides and
//! what it cannot be installed with is carried over.

use super::Reading;
use crate::config::error::Error;
use crate::config::reader::Text;
use crate::config::{RelationSettings, Selector};
use crate::relation::{RelationKind, debian, rpm};
use crate::target::Format;

/// The relations of the table for both formats.
pub(super) struct Relations {
    pub(super) deb: RelationSettings,
    pub(super) rpm: RelationSettings,
    /// Whether the libraries that its programs need are asked for: `$auto`, or no `depends` at all.
    pub(super) automatic: bool,
}

/// What stands for the libraries; the second is debhelper's, and cargo-deb would write it into the package as it is.
const AUTOMATIC: [&str; 2] = ["$auto", "${shlibs:Depends}"];

/// Reads all relations.
pub(super) fn relations(reading: &mut Reading<'_>) -> Result<Relations, Error> {
    let mut all = Relations {
        deb: RelationSettings::default(),
        rpm: RelationSettings::default(),
        automatic: reading.table.relations(RelationKind::Depends).is_none(),
    };
    let mut left: Vec<(Text<'_>, String)> = Vec::new();
    for (kind, _) in RelationKind::ALL {
        let texts = reading.table.relations(kind).map(<[_]>::to_vec).unwrap_or_default();
        for text in &texts {
            for word in text.as_str().split(',').map(str::trim).filter(|word| !word.is_empty()) {
                if AUTOMATIC.contains(&word) {
                    automatic(reading, &mut all, kind, text, word);
                    continue;
                }
                if word.starts_with("${") {
                    let message =
                        format!("`{word}` is a variable of debhelper, which nothing would fill in: it is left out");
                    reading.note(Some(text), message, None);
                    continue;
                }
                let (word, selector) = restricted(text, word)?;
                let word = mended(reading, text, &word);
                let relation = debian::canonical(kind, &word);
                let relation = relation.map_err(|invalid| text.error(&invalid, Some(invalid.hint.clone())))?;
                match for_rpm(kind, &relation, &selector) {
                    Some((kind, relation)) => put(&mut all.rpm, kind, Selector::Format(Format::Rpm), relation),
                    None if selector == Selector::Format(Format::Deb) => left.push((text.clone(), relation.clone())),
                    None => {}
                }
                put(&mut all.deb, kind, selector, relation);
            }
        }
    }
    obsoletes(&mut all);
    if let Some((text, _)) = left.first() {
        let names = left.iter().map(|(_, relation)| format!("`{relation}`")).collect::<Vec<_>>().join(", ");
        let hint = format!(
            "say what it needs there: `depends = {{ rpm = […] }}` under [services.{}] in packhouse.toml",
            reading.package
        );
        reading.rpm_note(text, format!("names of Debian's packages, which an RPM leaves out: {names}"), hint);
    }
    Ok(all)
}

fn put(settings: &mut RelationSettings, kind: RelationKind, selector: Selector, relation: String) {
    let found = settings.all.iter_mut().find(|(one, other, _)| *one == kind && *other == selector);
    match found {
        Some((_, _, relations)) if relations.contains(&relation) => {}
        Some((_, _, relations)) => relations.push(relation),
        None => settings.all.push((kind, selector, vec![relation])),
    }
}

fn automatic(reading: &mut Reading<'_>, all: &mut Relations, kind: RelationKind, text: &Text<'_>, word: &str) {
    if kind != RelationKind::Depends {
        let hint = "move it to `depends`".to_owned();
        reading.note(Some(text), format!("`{word}` means something in `depends` alone: it is left out"), Some(hint));
        return;
    }
    all.automatic = true;
    if word != "$auto" {
        let message = format!("`{word}` is a variable of debhelper: it is read as `$auto`, which cargo-deb knows");
        reading.note(Some(text), message, Some("write `$auto`".to_owned()));
    }
}

/// A relation without its restriction to architectures (`[armhf]`, `[!armhf !arm64]`), and whom it is for.
fn restricted(text: &Text<'_>, word: &str) -> Result<(String, Selector), Error> {
    let everywhere = Selector::Format(Format::Deb);
    let Some((relation, list)) = word.strip_suffix(']').and_then(|rest| rest.rsplit_once('[')) else {
        return Ok((word.to_owned(), everywhere));
    };
    let names: Vec<&str> = list.split_whitespace().collect();
    let negated = names.iter().filter(|name| name.starts_with('!')).count();
    if names.is_empty() || (negated > 0 && negated != names.len()) {
        let hint = "write all architectures with `!` or none of them (Debian Policy 7.1)";
        return Err(text.error(format!("`[{list}]` is no restriction to architectures"), Some(hint.to_owned())));
    }
    let names = names.iter().map(|name| name.trim_start_matches('!').to_owned()).collect();
    let selector = Selector::Architecture { format: Format::Deb, names, negated: negated > 0 };
    Ok((relation.trim().to_owned(), selector))
}

/// `(> 1)` and `(< 1)` mean `>=` and `<=` to dpkg, which warns; new packages write so.
fn mended(reading: &mut Reading<'_>, text: &Text<'_>, word: &str) -> String {
    let mut mended = String::new();
    for (number, part) in word.split('(').enumerate() {
        if number > 0 {
            mended.push('(');
        }
        let operator: String = part.trim_start().chars().take_while(|one| matches!(one, '<' | '>' | '=')).collect();
        match operator.as_str() {
            "<" | ">" if number > 0 => {
                mended.push_str(&part.replacen(&operator, &format!("{operator}="), 1));
                let message = format!("`{operator}` is an obsolete operator that means `{operator}=` to dpkg");
                reading.note(Some(text), message, Some(format!("write `{operator}=` or `{operator}{operator}`")));
            }
            _ => mended.push_str(part),
        }
    }
    mended
}

/// The relation as an RPM has it, if it says something there too.
fn for_rpm(kind: RelationKind, relation: &str, selector: &Selector) -> Option<(RelationKind, String)> {
    let kind = match kind {
        RelationKind::Provides => kind,
        RelationKind::Conflicts | RelationKind::Breaks => RelationKind::Conflicts,
        _ => return None,
    };
    if !matches!(selector, Selector::Format(_)) {
        return None;
    }
    let spelt = spelt(relation)?;
    rpm::parse(kind, &spelt).ok().map(|relation| (kind, relation.to_string()))
}

/// `name (>= 1)` as `name >= 1`; nothing with alternatives or a qualifier.
fn spelt(relation: &str) -> Option<String> {
    if relation.contains(['|', ':']) && !relation.contains('(') {
        return None;
    }
    let Some((name, rest)) = relation.split_once(" (") else { return Some(relation.to_owned()) };
    let (operator, version) = rest.strip_suffix(')')?.split_once(' ')?;
    let operator = match operator {
        "<<" => "<",
        ">>" => ">",
        other => other,
    };
    (!name.contains([':', '|'])).then(|| format!("{name} {operator} {version}"))
}

/// What Debian's way to rename a package says (`Breaks: old (<< 2)`, `Replaces: old (<< 2)`) is RPM's `Obsoletes`.
fn obsoletes(all: &mut Relations) {
    let of = |wanted: RelationKind| -> Vec<String> {
        let chosen =
            all.deb.all.iter().filter(|(kind, selector, _)| *kind == wanted && matches!(selector, Selector::Format(_)));
        chosen.flat_map(|(_, _, relations)| relations.iter().cloned()).collect()
    };
    let against = [of(RelationKind::Breaks), of(RelationKind::Conflicts)].concat();
    for relation in of(RelationKind::Replaces) {
        let bounded = relation.contains("(<< ") || relation.contains("(<= ");
        if let (true, true, Some(spelt)) = (bounded, against.contains(&relation), spelt(&relation))
            && rpm::parse(RelationKind::Replaces, &spelt).is_ok()
        {
            put(&mut all.rpm, RelationKind::Replaces, Selector::Format(Format::Rpm), spelt);
        }
    }
}
