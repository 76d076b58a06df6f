//! What `init` writes: the smallest configuration that the repository needs, and what it was made from.
//!
//! Needed is what has no default and cannot be guessed the same way everywhere, what the user said, what lies beside the
//! code and belongs into the package, and what another tool's files say. Where there is nothing of this, no file is needed.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::Found;
use crate::config::{
    self, Content, Error, FILE_NAME, Guess, Maintainer, People, Setting, Settings, Table, Told, assume,
    guess_maintainer, guess_org,
};
use crate::diagnostic::Diagnose as _;
use crate::name::OrgName;
use crate::takeover::{self, Debian, TakenOver};
use crate::workspace::{Kind, Member, Workspace};

/// A configuration that could be written.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// Where it goes.
    pub path: PathBuf,
    /// The organisation.
    pub org: Guess<OrgName>,
    /// The maintainer.
    pub maintainer: Guess<Maintainer>,
    /// Why a file is needed; none when it is not.
    pub needs: Vec<String>,
    /// What could not be carried over from other tools' files, and why.
    pub left: Vec<String>,
    /// The file's text.
    pub text: String,
    /// What it says.
    pub settings: Settings,
}

/// Proposes a configuration for the workspace. Nothing is written.
///
/// # Errors
/// When there is a configuration already, when an argument is wrong, when a required value cannot be found out.
pub fn propose(workspace: &Workspace, told: &Told, people: People<'_>) -> Result<Proposal, Error> {
    let root = workspace.root.as_path();
    if let Some(path) = config::present(root)? {
        return Err(Error::Exists { path });
    }
    let debian = takeover::find(workspace)?;
    let org = organisation(workspace, told, &debian)?;
    let taken: Vec<TakenOver> = debian.iter().map(|debian| debian.convert(&org.value)).collect();
    let maintainer = match taken.iter().find_map(|taken| taken.maintainer.clone()) {
        Some(maintainer) if told.maintainer.is_none() => maintainer,
        _ => guess_maintainer(root, workspace, told, people)?,
    };
    let is_taken = |member: &Member| debian.iter().any(|debian| debian.is_of(member));
    let found: Vec<(&Member, Found)> = workspace
        .services()
        .filter(|service| !is_taken(service))
        .map(|service| (service, Found::of(workspace, service)))
        .filter(|(_, found)| !found.is_empty())
        .collect();
    let mut needs = needs(workspace, told, &debian, &found);
    if needs.is_empty() && assume(root, workspace, told, people).is_err() {
        needs.push("something has no default and cannot be guessed".to_owned());
    }
    let (text, left) = write(workspace, &org, &maintainer, &taken, &found)?;
    let settings = config::parse(&text, root).map_err(|error| Error::Unfit {
        problem: error.to_string(),
        location: error.location().cloned().map(Box::new),
    })?;
    Ok(Proposal { path: root.join(FILE_NAME), org, maintainer, needs, left, text, settings })
}

/// The organisation that is told; else the one whose directory another tool has installed in; else a guess.
fn organisation(workspace: &Workspace, told: &Told, debian: &[Debian]) -> Result<Guess<OrgName>, Error> {
    let of_root = debian.iter().find_map(Debian::org).filter(|_| told.org.is_none() && told.default_org.is_none());
    of_root.map_or_else(|| guess_org(&workspace.root, workspace, told), Ok)
}

/// Why a file is needed.
fn needs(workspace: &Workspace, told: &Told, debian: &[Debian], found: &[(&Member, Found)]) -> Vec<String> {
    let mut needs = Vec::new();
    let mut told_of = Vec::new();
    told_of.extend(told.org.is_some().then_some("organisation"));
    told_of.extend(told.maintainer.is_some().then_some("maintainer"));
    if !told_of.is_empty() {
        needs.push(format!("it holds the {} that you gave", told_of.join(" and the ")));
    }
    needs.extend(debian.iter().map(|debian| format!("it takes over {}", debian.place().display())));
    for (service, found) in found {
        let what: Vec<&str> = [("units", found.units.is_empty()), ("configuration files", found.config.is_empty())]
            .into_iter()
            .filter_map(|(what, none)| (!none).then_some(what))
            .collect();
        needs.push(format!("{} has {} that belong into its package", service.name, what.join(" and ")));
    }
    match workspace.services().count() {
        0 => needs.push("no service was found, and a library can be made one".to_owned()),
        1 => {}
        count => needs.push(format!("{count} services share an organisation")),
    }
    needs
}

/// The text, and what could not be carried over.
fn write(
    workspace: &Workspace,
    org: &Guess<OrgName>,
    maintainer: &Guess<Maintainer>,
    taken: &[TakenOver],
    found: &[(&Member, Found)],
) -> Result<(String, Vec<String>), Error> {
    let mut content = Content {
        project: vec![
            Setting::new("org", org.value.as_str())
                .because(format!("The directory under /usr/lib that the services are installed in ({}).", org.reason)),
            Setting::new("maintainer", maintainer.value.to_string())
                .because(format!("Who answers for the packages ({}).", maintainer.reason)),
        ],
        ..Content::default()
    };
    for setting in taken.iter().flat_map(|taken| &taken.project) {
        if !content.project.iter().any(|present| present.key == setting.key) {
            content.project.push(setting.clone());
        }
    }
    for table in taken.iter().flat_map(|taken| &taken.tables) {
        // Two packages may be fed from one index.
        if !content.tables.contains(table) {
            content.tables.push(table.clone());
        }
    }
    content.tables.extend(found.iter().flat_map(|(service, found)| tables(service, found)));
    content.left = taken.iter().flat_map(|taken| taken.left.iter().cloned()).collect();
    content.found = workspace.members.iter().map(described).collect();
    if workspace.services().next().is_none() {
        content.found.push(
            "no service: that is a Python package with a bin/ directory or entry points, or a crate with a bin target; \
             `kind = \"service\"` under [services.NAME] makes one of a library"
                .to_owned(),
        );
    }
    Ok((config::render(&content)?, content.left))
}

fn described(member: &Member) -> String {
    let kind = if member.kind == Kind::Service { "service" } else { "library" };
    format!("{kind} {} in {} ({})", member.name, shown(&member.path), member.reason)
}

fn shown(path: &Path) -> String {
    if path.as_os_str().is_empty() { ".".to_owned() } else { path.to_string_lossy().into_owned() }
}

/// What lies beside a service's code, as tables.
fn tables(service: &Member, found: &Found) -> Vec<Table> {
    let list =
        |paths: &[PathBuf]| -> Vec<String> { paths.iter().map(|path| path.to_string_lossy().into_owned()).collect() };
    let name = service.name.as_str();
    let mut tables = Vec::new();
    if !found.config.is_empty() {
        let mut table = Table::new(&["services", name]);
        let reason = "Installed below /etc; what an administrator changes there stays.";
        table.settings.push(Setting::new("config", list(&found.config)).because(reason));
        tables.push(table);
    }
    if !found.units.is_empty() {
        let mut table = Table::new(&["services", name, "systemd"]);
        table.settings.push(Setting::new("units", list(&found.units)));
        tables.push(table);
    }
    tables
}

impl Proposal {
    /// Writes the file, which must not be there yet.
    ///
    /// # Errors
    /// When it is there, or cannot be written.
    pub fn write(&self) -> Result<(), Error> {
        let mut file = match fs_err::OpenOptions::new().write(true).create_new(true).open(&self.path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                return Err(Error::Exists { path: self.path.clone() });
            }
            other => other?,
        };
        let written = file.write_all(self.text.as_bytes()).and_then(|()| file.sync_all());
        if let Err(error) = written {
            fs_err::remove_file(&self.path)?;
            return Err(error.into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
