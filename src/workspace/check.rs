//! Names and commands that cannot stand beside each other.

use std::collections::BTreeMap;

use super::{EcosystemKind, Error, Kind, Member};
use crate::config::value;
use crate::name::{PackageName, normalize};

/// Every service has a package name, no two members of an ecosystem share a name, no two services a package.
pub(super) fn names(members: &[Member]) -> Result<(), Error> {
    let mut names: BTreeMap<(EcosystemKind, &str), &Member> = BTreeMap::new();
    let mut packages: BTreeMap<&PackageName, &Member> = BTreeMap::new();
    for member in members {
        if let Some(other) = names.insert((member.ecosystem, &member.ecosystem_name), member)
            // Rust's requirements go by path: there another package name is enough to tell them apart.
            && (member.ecosystem == EcosystemKind::Python || member.name == other.name)
        {
            return Err(Error::DuplicateName {
                ecosystem: member.ecosystem,
                name: member.ecosystem_name.clone(),
                first: other.manifest.clone(),
                second: member.manifest.clone(),
            });
        }
        if member.kind == Kind::Library {
            continue;
        }
        let normal = normalize(&member.ecosystem_name);
        if let Err(invalid) = PackageName::parse(&normal)
            && member.name
                == super::package_name(member.ecosystem, &member.ecosystem_name).unwrap_or(member.name.clone())
        {
            return Err(Error::NoPackageName {
                name: member.ecosystem_name.clone(),
                path: member.path.clone(),
                manifest: member.manifest.clone(),
                rule: invalid.rule,
            });
        }
        if let Some(other) = packages.insert(&member.name, member) {
            return Err(Error::SamePackage {
                package: member.name.to_string(),
                first: place(other),
                second: place(member),
                manifest: member.manifest.clone(),
            });
        }
    }
    Ok(())
}

/// A member's own name with its manifest.
fn place(member: &Member) -> String {
    format!("`{}` in `{}`", member.ecosystem_name, member.manifest.display())
}

/// Every command is a file name of `/usr/bin` that one service wants.
pub(super) fn commands(members: &[Member]) -> Result<(), Error> {
    let mut commands: BTreeMap<&str, &Member> = BTreeMap::new();
    for member in members.iter().filter(|member| member.kind == Kind::Service) {
        for command in &member.commands {
            value::command(command).map_err(|rule| Error::BadCommand { service: member.name.to_string(), rule })?;
            if let Some(other) = commands.insert(command, member)
                && !std::ptr::eq(other, member)
            {
                return Err(Error::SameCommand {
                    command: command.clone(),
                    first: place(other),
                    second: place(member),
                    manifest: member.manifest.clone(),
                });
            }
        }
    }
    Ok(())
}
