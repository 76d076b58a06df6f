//! The relations of a package: what its content calls for, and what the configuration adds.

use super::Relations;
use super::scripts::Actions;
use crate::config::{RelationKind, ServiceSettings};
use crate::target::{Format, PythonVersion, Target};

/// The relations of a package for `target`. `libraries` are those that its ELF files need.
pub(super) fn relations(
    target: &Target,
    service: &ServiceSettings,
    actions: &Actions,
    python: Option<PythonVersion>,
    libraries: Vec<String>,
) -> Relations {
    let units = &actions.units;
    let mut depends = libraries;
    match (target.format(), python) {
        (Format::Deb, Some(version)) => depends.push(format!("python{version}")),
        (Format::Rpm, Some(version)) => {
            depends.extend([format!("python(abi) = {version}"), format!("/usr/bin/python{version}")]);
        }
        (_, None) => {}
    }
    let mut pre_depends = Vec::new();
    match target.format() {
        Format::Deb if units.sysusers.is_some() => {
            depends.push("systemd | systemd-standalone-sysusers | systemd-sysusers".to_owned());
        }
        Format::Rpm if !units.running.is_empty() || units.sysusers.is_some() => {
            depends.push("systemd".to_owned());
            // %pre makes the user with systemd's program: it must be there before this package is unpacked.
            pre_depends.extend(units.sysusers.iter().map(|_| "systemd".to_owned()));
        }
        _ => {}
    }
    if actions.compile.is_some() && target.format() == Format::Rpm {
        // Their scriptlets use find; on Debian it is essential.
        depends.extend(["coreutils".to_owned(), "findutils".to_owned()]);
    }
    let mut provides = Vec::new();
    if target.distribution.rpm.is_some_and(|rpm| rpm >= (4, 19))
        && let Some((_, line)) = &units.sysusers
    {
        provides.extend(user_provides(line));
    }
    depends.extend(service.relations.get(RelationKind::Depends, target));
    depends.sort();
    depends.dedup();
    Relations { depends, pre_depends, provides, ..Relations::default() }
}

/// rpm ≥ 4.19 makes the users that a package provides as `user(NAME) = BASE64-OF-THE-SYSUSERS-LINE`, and their groups
/// (rpm's sysusers.attr; padded with NUL so that the base64 has no `=`).
fn user_provides(line: &str) -> Vec<String> {
    use base64::Engine as _;
    let user = line.split_whitespace().nth(1).unwrap_or_default();
    let encode = |text: &str| {
        let mut bytes = text.as_bytes().to_vec();
        while !bytes.len().is_multiple_of(3) {
            bytes.push(0);
        }
        base64::engine::general_purpose::STANDARD.encode(bytes)
    };
    vec![format!("user({user}) = {}", encode(line)), format!("group({user}) = {}", encode(&format!("g {user} -")))]
}
