//! The licence of everything in a package, and whether the project's policy has it.
//!
//! What a component's licence is, is asked of these, in this order: `[[licenses.clarify]]`, because a person has looked; the
//! expression in the metadata (PEP 639's `License-Expression`, cargo's `license`, a `License` field that is one); the
//! classifiers that mean one licence; the licence files, each of which must be a standard text. What nothing tells stands as
//! `LicenseRef-NAME` in every output, so that nobody takes it for a free licence.

mod classifiers;
mod detect;
mod error;
mod expression;
mod holders;

use std::io;

pub use error::{LicenseError, Offender};
pub use expression::Expression;
pub(super) use expression::debian_name;
pub(super) use holders::holders;

use super::{Component, LicenseFile};
use crate::config::{Clarification, Settings};
use crate::workspace::Member;

/// Settles the licence of each component, and holds them and the service's own against the policy. Components that are
/// settled already stay as they are.
///
/// Gives what the user should know: one line for each component whose licence nothing tells.
///
/// # Errors
/// With a policy: every component that it does not allow, all at once.
pub fn settle(settings: &Settings, member: &Member, components: &mut [Component]) -> Result<Vec<String>, LicenseError> {
    let own = own(settings, member);
    let mut notes = Vec::new();
    for component in components.iter_mut().filter(|component| component.expression.is_none()) {
        let found = resolve(component, &settings.licenses.clarify)?;
        let title = format!("{} {}", component.name.escape_debug(), component.version.escape_debug());
        component.expression = Some(match found {
            Some(found) => found,
            None if component.own => own.clone(),
            None => {
                if settings.licenses.allow.is_none() {
                    notes.push(format!("the licence of {title} is not known: {}", why_unknown(component)));
                }
                Expression::reference(&component.name)
            }
        });
        for file in component.license_files.iter().filter(|file| file.is_cut()) {
            notes.push(format!(
                "{title}: {} is too long for a licence, its beginning is read",
                file.name.escape_debug()
            ));
        }
    }
    error::check(settings, member, &own, components)?;
    Ok(notes)
}

/// The licence of the service's own code: its table's, the manifest's, the project's.
pub fn own(settings: &Settings, member: &Member) -> Expression {
    let written = |text: &str| {
        let line = text.trim().lines().next().unwrap_or_default().trim();
        (!line.is_empty()).then(|| Expression::parse(line).unwrap_or_else(|| Expression::reference(line)))
    };
    let adopted = settings.adopted.get(member.name.as_str());
    let mut adopted = adopted.into_iter().flat_map(|adopted| [&adopted.rpm, &adopted.deb]).flatten();
    let service = settings.service(&member.name).license;
    service
        .or_else(|| adopted.find_map(|table| table.license.clone()))
        .as_deref()
        .and_then(written)
        .or_else(|| member.license.as_deref().and_then(written))
        .or_else(|| settings.project.license.as_deref().and_then(written))
        .unwrap_or_else(|| Expression::reference("proprietary"))
}

/// The licence of everything in the package: own code first.
pub fn of_package(own: &Expression, components: &[Component]) -> Expression {
    let others = components.iter().filter_map(|component| component.expression.clone());
    Expression::all(std::iter::once(own.clone()).chain(others)).unwrap_or_else(|| own.clone())
}

fn resolve(component: &Component, clarified: &[Clarification]) -> Result<Option<Expression>, LicenseError> {
    if let Some(clarification) = clarified.iter().find(|one| one.is_for(&component.name, &component.version)) {
        error::check_clarification(component, clarification)?;
        return Ok(Expression::parse(&clarification.expression));
    }
    if let Some(found) = component.license.as_deref().and_then(Expression::parse) {
        return Ok(Some(found));
    }
    let of_classifiers: Option<Vec<Expression>> = component
        .classifiers
        .iter()
        // It stands beside others and says nothing by itself.
        .filter(|classifier| *classifier != "OSI Approved" && *classifier != "DFSG approved")
        .map(|classifier| classifiers::meaning(classifier).and_then(Expression::parse))
        .collect();
    // Several classifiers do not say whether one may choose: what binds in both cases is all of them.
    if let Some(found) = of_classifiers.and_then(Expression::all) {
        return Ok(Some(found));
    }
    Ok(of_files(component)?)
}

/// What the licence files are together; nothing when one of them is no standard text.
fn of_files(component: &Component) -> io::Result<Option<Expression>> {
    let mut all = Vec::new();
    for file in component.license_files.iter().filter(|file| !file.is_notice()) {
        match detect::detect(file)?.and_then(Expression::parse) {
            Some(found) => all.push(found),
            None => return Ok(None),
        }
    }
    Ok(Expression::all(all))
}

/// Whether the file is the text of a licence that the package's copyright file has anyhow.
pub(super) fn standard_text(file: &LicenseFile) -> io::Result<Option<&'static str>> {
    detect::detect(file)
}

fn why_unknown(component: &Component) -> String {
    let said = match &component.license {
        Some(text) => {
            let line = super::changelog::clean(text.lines().next().unwrap_or_default());
            format!("its metadata say `{}`", line.chars().take(60).collect::<String>())
        }
        None if component.classifiers.is_empty() => "its metadata say nothing".to_owned(),
        None => format!("its classifiers say `{}`", super::changelog::clean(&component.classifiers.join(", "))),
    };
    let files: Vec<String> = component.license_files.iter().map(|file| file.name.escape_debug().to_string()).collect();
    let files = match files.len() {
        0 => "it has no licence file".to_owned(),
        _ => format!("{} is no text of a common licence", files.into_iter().take(3).collect::<Vec<_>>().join(" or ")),
    };
    format!("{said}, and {files}; say it in [[licenses.clarify]]")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Content;

    fn file(name: &str, text: &str) -> LicenseFile {
        LicenseFile { name: name.to_owned(), content: Content::bytes(text.as_bytes()), installed: None }
    }

    fn text(id: &str) -> &'static str {
        spdx::license_id(id).expect("of the list").text()
    }

    #[test]
    fn the_most_exact_word_about_a_licence_is_taken() {
        let cases = [
            (Some("MIT OR Apache-2.0"), &[][..], vec![], Some("MIT OR Apache-2.0")),
            (Some("BSD-3-Clause"), &["OSI Approved :: MIT License"], vec![], Some("BSD-3-Clause")),
            (Some("whatever"), &["OSI Approved", "OSI Approved :: MIT License"], vec![], Some("MIT")),
            (
                None,
                &["OSI Approved :: Apache Software License", "OSI Approved :: MIT License"],
                vec![],
                Some("Apache-2.0 AND MIT"),
            ),
            (
                Some("BSD"),
                &["OSI Approved :: BSD License"],
                vec![("LICENSE", text("BSD-3-Clause"))],
                Some("BSD-3-Clause"),
            ),
            (Some("BSD"), &["OSI Approved :: BSD License"], vec![("LICENSE", "Ask me.")], None),
            (None, &[], vec![("LICENSE", text("MIT")), ("LICENSE.more", "Ask me.")], None),
            (None, &[], vec![("LICENSE", text("MIT")), ("NOTICE", "Thanks.")], Some("MIT")),
            (None, &["Public Domain"], vec![], None),
            (None, &[], vec![], None),
        ];
        for (license, classifiers, files, expected) in cases {
            let component = Component {
                license: license.map(str::to_owned),
                classifiers: classifiers.iter().map(|text| (*text).to_owned()).collect(),
                license_files: files.iter().map(|(name, text)| file(name, text)).collect(),
                ..Component::default()
            };
            let found = resolve(&component, &[]).expect("resolved");
            assert_eq!(found.map(|found| found.to_string()).as_deref(), expected, "{component:?}");
        }
    }

    #[test]
    fn a_text_of_ten_megabytes_is_neither_read_whole_nor_a_licence() {
        let component = Component {
            name: "big".to_owned(),
            license_files: vec![file("LICENSE", &text("MIT").repeat(10_000))],
            ..Component::default()
        };
        assert!(component.license_files[0].is_cut());
        assert!(component.license_files[0].text().expect("text").len() <= 1024 * 1024);
        assert_eq!(resolve(&component, &[]).expect("resolved"), None);
    }
}
