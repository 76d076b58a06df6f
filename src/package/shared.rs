//! What two services must not both have: a package's name, a path, a directory with two modes or owners.
//!
//! The settings tell most of it before anything is built; what is known only then is claimed in [`crate::build`].

use std::collections::BTreeMap;

use super::assemble::configuration_path;
use super::files::{Owner, Thing, plan};
use super::{Error, pages, systemd};
use crate::config::{FileKind, FileSettings, FileSource, ServiceSettings, Settings};
use crate::name::PackageName;
use crate::target::{Architecture, Distribution, Format, Target};
use crate::tree::InstallPath;
use crate::workspace::{EcosystemKind, Member, Workspace};

/// Makes sure that no two services install a file at one path outside their own trees, nor become one package: each by
/// itself would be good, and dpkg and rpm would refuse the second.
pub fn check_shared_paths(settings: &Settings, workspace: &Workspace) -> Result<(), Error> {
    let all: Vec<&Distribution> = settings.distributions.iter().collect();
    // What manifests say for other tools may differ between the formats.
    let (of_debian, of_rpm) = all.iter().copied().partition(|one| one.format == Format::Deb);
    let passes: Vec<(Format, Vec<&Distribution>)> = match settings.adopted.is_empty() {
        true => vec![(Format::Deb, all)],
        false => vec![(Format::Deb, of_debian), (Format::Rpm, of_rpm)],
    };
    passes.iter().try_for_each(|(format, distributions)| check_shared(settings, workspace, *format, distributions))
}

fn check_shared(
    settings: &Settings,
    workspace: &Workspace,
    format: Format,
    distributions: &[&Distribution],
) -> Result<(), Error> {
    let services: Vec<(&Member, ServiceSettings)> =
        workspace.services().map(|member| (member, settings.service_for(&member.name, format))).collect();
    let mut owners: BTreeMap<String, &PackageName> = BTreeMap::new();
    let mut packages: BTreeMap<&PackageName, &PackageName> = BTreeMap::new();
    for (member, service) in &services {
        if let Some(other) = packages.insert(service.package_name(member), &member.name) {
            let (package, first, second) =
                (service.package_name(member).to_string(), other.to_string(), member.name.to_string());
            return Err(Error::SharedName { package, first, second });
        }
        let configuration = service.config.iter().map(|file| configuration_path(settings, file));
        let units = service.systemd.iter().flat_map(|systemd| systemd::installed_paths(systemd, member.name.as_str()));
        let pages = pages::paths(service, &workspace.directory(member));
        let commands = known_commands(service, member).iter().map(|name| format!("/usr/bin/{name}"));
        for path in configuration.chain(units).chain(pages).chain(commands) {
            if let Some(other) = owners.insert(path.clone(), &member.name)
                && *other != member.name
            {
                return Err(Error::SharedPath { path, first: other.to_string(), second: member.name.to_string() });
            }
        }
    }
    files_of_all(settings, workspace, &services, distributions, &owners)
}

/// The commands that a service has for sure, before anything is built. Of Python's, only the settings' are: its tree may
/// bring others, and leave some of the manifest's out.
fn known_commands<'a>(service: &'a ServiceSettings, member: &'a Member) -> &'a [String] {
    match (&service.commands, member.ecosystem) {
        (Some(chosen), _) => chosen,
        // Where the files say where they go, there are no others.
        (None, _) if service.is_flat() && names_built(service) => &[],
        (None, EcosystemKind::Rust) => &member.commands,
        (None, EcosystemKind::Python) => &[],
    }
}

/// Whether its files name what cargo makes.
fn names_built(service: &ServiceSettings) -> bool {
    let is_built = |entry: &FileSettings| {
        matches!(&entry.kind, FileKind::File(FileSource::Built { .. } | FileSource::BuiltGlob { .. }))
    };
    service.dialect.is_some() || service.files.iter().any(is_built)
}

/// What a path is to a service that installs it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Claim<'a> {
    /// A directory with this mode, owner and group.
    Directory(u32, &'a str, &'a str),
    /// Anything else, which only one service can have.
    Own,
}

/// A directory that is there because something is in it.
const IMPLIED: Claim<'_> = Claim::Directory(0o755, "root", "root");

/// For each path, what each service makes of it.
type Claims<'a> = BTreeMap<InstallPath, BTreeMap<&'a PackageName, Claim<'a>>>;

/// Makes sure that no two services want one path, nor one directory with two modes or owners: each package by itself would
/// be good, and dpkg and rpm would refuse the second, or let the order of installation decide. `known` are the paths that
/// services install otherwise; `services` has the settings of each for `distributions`.
fn files_of_all<'a>(
    settings: &Settings,
    workspace: &Workspace,
    services: &'a [(&'a Member, ServiceSettings)],
    distributions: &[&Distribution],
    known: &BTreeMap<String, &'a PackageName>,
) -> Result<(), Error> {
    let mut all: Vec<(&PackageName, &FileSettings, InstallPath, Claim<'_>)> = Vec::new();
    for (member, service) in services {
        let directory = workspace.directory(member);
        let owner = Owner { settings, package: &member.name, service, directory: &directory, built: None };
        for entry in &service.files {
            let (user, group) = (entry.user.as_deref().unwrap_or("root"), entry.group.as_deref().unwrap_or("root"));
            // What a table of another tool names for one format may only be there when that is built, and is asked for then.
            let planned = match plan(owner, entry) {
                Err(_) if service.dialect.is_some() => continue,
                planned => planned?,
            };
            for planned in planned {
                let claim = match planned.what {
                    Thing::Directory => Claim::Directory(planned.mode, user, group),
                    _ => Claim::Own,
                };
                all.push((&member.name, entry, planned.path, claim));
            }
        }
    }
    if all.is_empty() {
        return Ok(());
    }
    for distribution in distributions {
        let target = Target { distribution: (*distribution).clone(), architecture: Architecture::X86_64 };
        let mut claims = Claims::new();
        for (path, package) in known {
            if let Ok(path) = InstallPath::parse(path) {
                claim(&mut claims, &path, package, Claim::Own);
            }
        }
        for (package, entry, path, what) in &all {
            if entry.is_for(&target) {
                claim(&mut claims, path, package, *what);
            }
        }
        for (path, claims) in &claims {
            let mut claims = claims.iter();
            let Some((first, what)) = claims.next() else { continue };
            let Some((second, other)) = claims.find(|(_, other)| *other != what || *what == Claim::Own) else {
                continue;
            };
            let (path, first, second) = (path.to_string(), first.to_string(), second.to_string());
            return Err(match (what, other) {
                (Claim::Directory(..), Claim::Directory(..)) => Error::SharedDirectory { path, first, second },
                _ => Error::SharedPath { path, first, second },
            });
        }
    }
    Ok(())
}

/// Notes a claim, and those to the directories above it, which give way to explicit ones.
fn claim<'a>(claims: &mut Claims<'a>, path: &InstallPath, package: &'a PackageName, what: Claim<'a>) {
    claims.entry(path.clone()).or_default().insert(package, what);
    let mut parent = path.parent();
    while let Some(directory) = parent {
        parent = directory.parent();
        claims.entry(directory).or_default().entry(package).or_insert(IMPLIED);
    }
}
