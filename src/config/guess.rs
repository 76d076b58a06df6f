//! The two things that every package says and no manifest does for sure: the organisation and the maintainer. They are
//! guessed in the same way by `init`, which writes them down, and by a build without a configuration, which uses them.
//!
//! A guess depends on what is in the repository, and only where that says nothing on the machine: not on the name of the
//! directory where there is anything else, because sources are unpacked and cloned under many names and a package must be
//! the same from all of them.

use std::path::Path;

use super::error::Error;
use super::{Maintainer, value};
use crate::name::OrgName;
use crate::workspace::{Member, Workspace};

/// What the user says of the project beside any file.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// `--org`.
    pub org: Option<String>,
    /// `--maintainer`.
    pub maintainer: Option<String>,
    /// PACKHOUSE_ORG: for a project whose configuration says nothing.
    pub default_org: Option<String>,
    /// PACKHOUSE_MAINTAINER: for a project whose configuration says nothing.
    pub default_maintainer: Option<String>,
}

/// A value with where it came from.
#[derive(Debug, Clone)]
pub struct Guess<T> {
    /// The value.
    pub value: T,
    /// `from the commands, which all start with …`.
    pub reason: String,
    /// Whether the user gave it on the command line.
    pub told: bool,
}

impl<T> Guess<T> {
    pub(crate) fn new(value: T, reason: impl Into<String>) -> Self {
        Self { value, reason: reason.into(), told: false }
    }
}

/// Somebody that a manifest names, as `Name <mail@example.org>`, and where: `the first author of Cargo.toml`.
pub type Person = (String, String);

/// Who stands in the manifest of a member, the most responsible first.
pub type People<'a> = &'a dyn Fn(&Member) -> Vec<Person>;

/// What comes first in the names of commands that other programs call by their name, or that say what they are for: no
/// organisation's.
const GENERIC: [&str; 18] = [
    "apt", "aws", "cargo", "dh", "docker", "dpkg", "git", "go", "kubectl", "lib", "node", "pip", "py", "python",
    "python3", "rpm", "rust", "systemd",
];

impl Told {
    /// What the command line says of the organisation, else the environment.
    fn org(&self) -> Result<Option<Guess<OrgName>>, Error> {
        let parse =
            |text: &String| OrgName::parse(text).map_err(|error| Error::Argument { problem: error.to_string() });
        either(&self.org, &self.default_org, "PACKHOUSE_ORG", parse)
    }

    /// The same of the maintainer.
    fn maintainer(&self) -> Result<Option<Guess<Maintainer>>, Error> {
        let parse = |text: &String| value::maintainer(text).map_err(|problem| Error::Argument { problem });
        either(&self.maintainer, &self.default_maintainer, "PACKHOUSE_MAINTAINER", parse)
    }

    /// Replaces what a configuration says by what stands on the command line.
    ///
    /// # Errors
    /// When an argument is wrong.
    pub fn replace(&self, settings: &mut super::Settings) -> Result<(), Error> {
        let arguments = Self { default_org: None, default_maintainer: None, ..self.clone() };
        if let Some(org) = arguments.org()? {
            settings.project.org = org.value;
        }
        if let Some(maintainer) = arguments.maintainer()? {
            settings.project.maintainer = maintainer.value;
        }
        Ok(())
    }
}

fn either<T>(
    argument: &Option<String>,
    variable: &Option<String>,
    name: &str,
    parse: impl Fn(&String) -> Result<T, Error>,
) -> Result<Option<Guess<T>>, Error> {
    match (argument, variable) {
        (Some(text), _) => Ok(Some(Guess { value: parse(text)?, reason: "as given".to_owned(), told: true })),
        (None, Some(text)) => Ok(Some(Guess::new(parse(text)?, format!("from {name}")))),
        (None, None) => Ok(None),
    }
}

/// The organisation: as told, else the prefix that all commands share, else all services, else the only service's name,
/// else the directory's.
pub(crate) fn org(root: &Path, workspace: &Workspace, told: &Told) -> Result<Guess<OrgName>, Error> {
    if let Some(told) = told.org()? {
        return Ok(told);
    }
    let services: Vec<&Member> = workspace.services().collect();
    let commands = services.iter().flat_map(|service| service.commands.iter().map(String::as_str));
    if let Some(org) = common_prefix(commands) {
        let reason = format!("from the commands, which all start with `{org}-`");
        return Ok(Guess::new(org, reason));
    }
    if let Some(org) = common_prefix(services.iter().map(|service| service.name.as_str())) {
        let reason = format!("from the services' names, which all start with `{org}-`");
        return Ok(Guess::new(org, reason));
    }
    if let [only] = services.as_slice()
        && let Some(org) = name_of(only.name.as_str())
    {
        return Ok(Guess::new(org, "from the name of the only service"));
    }
    let directory = root.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let undecided = Error::Undecided { what: "organisation", hint: "give it with `--org ORG`" };
    let org = name_of(&directory).ok_or(undecided)?;
    Ok(Guess::new(org, "from the name of the repository's directory"))
}

/// What of `text` can be an organisation's name.
fn name_of(text: &str) -> Option<OrgName> {
    let plain: String =
        text.chars().map(|character| if character.is_ascii_alphanumeric() { character } else { '-' }).collect();
    let plain = plain.trim_start_matches(|first: char| !first.is_ascii_lowercase());
    let plain: String = plain.chars().take(40).collect();
    OrgName::parse(plain.trim_end_matches('-')).ok()
}

/// The word before the first `-` when all names have the same.
fn common_prefix<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<OrgName> {
    let mut names = names.into_iter().map(|name| name.split_once('-').map(|(prefix, _)| prefix));
    let first = names.next()??;
    if GENERIC.contains(&first) || !names.all(|prefix| prefix == Some(first)) {
        return None;
    }
    OrgName::parse(first).ok()
}

/// The maintainer: as told, else the person in a service's manifest, else git's user.
pub(crate) fn maintainer(
    root: &Path,
    workspace: &Workspace,
    told: &Told,
    people: People<'_>,
) -> Result<Guess<Maintainer>, Error> {
    if let Some(told) = told.maintainer()? {
        return Ok(told);
    }
    for (person, reason) in workspace.services().flat_map(people) {
        // An author without an address is none whom a package could name.
        if let Ok(maintainer) = value::maintainer(&person) {
            return Ok(Guess::new(maintainer, reason));
        }
    }
    let own = git2::Repository::discover(root).and_then(|repository| repository.config());
    let config = own.or_else(|_| git2::Config::open_default()).ok();
    Ok(Guess::new(git_user(config)?, "git's user on this machine"))
}

/// `user.name` and `user.email` of git's configuration.
pub(super) fn git_user(config: Option<git2::Config>) -> Result<Maintainer, Error> {
    let undecided = Error::Undecided { what: "maintainer", hint: "give it with `--maintainer \"NAME <MAIL>\"`" };
    let get = |key: &str| config.as_ref().and_then(|config| config.get_string(key).ok());
    let (Some(name), Some(mail)) = (get("user.name"), get("user.email")) else { return Err(undecided) };
    value::maintainer(&format!("{name} <{mail}>")).map_err(|_| undecided)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_maintainer_may_come_from_gits_user() {
        let directory = tempfile::tempdir().unwrap();
        let open = |text: &str| {
            let path = directory.path().join("config");
            fs_err::write(&path, text).unwrap();
            git2::Config::open(&path).ok()
        };
        let user = git_user(open("[user]\n\tname = Jo Doe\n\temail = jo@acme.example\n")).unwrap();
        assert_eq!(user.to_string(), "Jo Doe <jo@acme.example>");
        assert!(matches!(git_user(open("")), Err(Error::Undecided { what: "maintainer", .. })));
    }
}
