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
        Format::Rpm if units.any() => {
            depends.push("systemd".to_owned());
            // %pre makes the user with systemd's program: it must be there before this package is unpacked.
            pre_depends.extend(units.sysusers.iter().map(|_| "systemd".to_owned()));
        }
        _ => {}
    }
    if target.format() == Format::Deb && actions.ownership.iter().any(|entry| entry.capabilities.is_some()) {
        // The postinst calls setcap(8).
        depends.push("libcap2-bin".to_owned());
    }
    if actions.compile.is_some() && target.format() == Format::Rpm {
        // Their scriptlets use find; on Debian it is essential.
        depends.extend(["coreutils".to_owned(), "findutils".to_owned()]);
    }
    let mut provides = Vec::new();
    if target.distribution.rpm.is_some_and(|rpm| rpm >= (4, 19))
        && let Some(sysusers) = &units.sysusers
    {
        provides.extend(sysusers.provides());
        depends.extend(sysusers.requires());
    }
    depends.extend(service.relations.get(RelationKind::Depends, target));
    depends.sort();
    depends.dedup();
    Relations { depends, pre_depends, provides, ..Relations::default() }
}
