//! Writes the first `packhouse.toml` of a repository, from what was detected in it.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::error::Error;
use super::{DEFAULT_TARGETS, FILE_NAME, Maintainer, find, value};
use crate::name::OrgName;
use crate::workspace::{Kind, Member, Workspace};

const TEMPLATE: &str = include_str!("../../templates/packhouse.toml.j2");

/// A configuration that could be written.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// Where it goes.
    pub path: PathBuf,
    /// The organisation.
    pub org: OrgName,
    /// Where the organisation's name came from.
    pub org_reason: String,
    /// The maintainer.
    pub maintainer: Maintainer,
    /// Where the maintainer came from.
    pub maintainer_reason: String,
    /// The file's text.
    pub text: String,
}

/// Proposes a configuration for the workspace in `root`: with the given organisation and maintainer, else with what
/// its names and git's configuration of the user say. Nothing is written.
///
/// # Errors
/// When there is a configuration already, when an argument is wrong, when a required value cannot be found out.
pub fn propose(
    root: &Path,
    org: Option<&str>,
    maintainer: Option<&str>,
    workspace: &Workspace,
) -> Result<Proposal, Error> {
    if let Some(found) = find::in_directory(root, root)? {
        return Err(Error::Exists { path: found.source.path });
    }
    let (org, org_reason) = match org {
        Some(text) => {
            let org = OrgName::parse(text).map_err(|error| Error::Argument { problem: error.to_string() })?;
            (org, "as given".to_owned())
        }
        None => guess_org(root, workspace)?,
    };
    let (maintainer, maintainer_reason) = match maintainer {
        Some(text) => {
            let maintainer = value::maintainer(text).map_err(|problem| Error::Argument { problem })?;
            (maintainer, "as given")
        }
        None => (git_user(git2::Config::open_default().ok())?, "git's user on the machine that ran `packhouse init`"),
    };
    let text = render(&org, &org_reason, &maintainer, maintainer_reason, workspace)?;
    let maintainer_reason = maintainer_reason.to_owned();
    Ok(Proposal { path: root.join(FILE_NAME), org, org_reason, maintainer, maintainer_reason, text })
}

impl Proposal {
    /// Writes the file, which must not be there yet.
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

/// The prefix that all commands share, else all services, else the directory's name.
fn guess_org(root: &Path, workspace: &Workspace) -> Result<(OrgName, String), Error> {
    let services: Vec<&Member> = workspace.services().collect();
    let commands = services.iter().flat_map(|service| service.commands.iter().map(String::as_str));
    if let Some(org) = common_prefix(commands) {
        let reason = format!("from the commands, which all start with `{org}-`");
        return Ok((org, reason));
    }
    if let Some(org) = common_prefix(services.iter().map(|service| service.name.as_str())) {
        let reason = format!("from the services' names, which all start with `{org}-`");
        return Ok((org, reason));
    }
    let directory = root.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let name: String =
        directory.chars().map(|character| if character.is_ascii_alphanumeric() { character } else { '-' }).collect();
    let name = name.trim_start_matches(|first: char| !first.is_ascii_lowercase());
    let name: String = name.chars().take(40).collect();
    let undecided = |_| Error::Undecided { what: "organisation", hint: "give it with `--org ORG`" };
    let org = OrgName::parse(name.trim_end_matches('-')).map_err(undecided)?;
    Ok((org, "from the name of the repository's directory".to_owned()))
}

/// The word before the first `-` when all names have the same.
fn common_prefix<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<OrgName> {
    let mut names = names.into_iter().map(|name| name.split_once('-').map(|(prefix, _)| prefix));
    let first = names.next()??;
    if names.all(|prefix| prefix == Some(first)) { OrgName::parse(first).ok() } else { None }
}

/// `user.name` and `user.email` of git's configuration.
pub(super) fn git_user(config: Option<git2::Config>) -> Result<Maintainer, Error> {
    let undecided = Error::Undecided { what: "maintainer", hint: "give it with `--maintainer \"NAME <MAIL>\"`" };
    let get = |key: &str| config.as_ref().and_then(|config| config.get_string(key).ok());
    let (Some(name), Some(mail)) = (get("user.name"), get("user.email")) else { return Err(undecided) };
    value::maintainer(&format!("{name} <{mail}>")).map_err(|_| undecided)
}

fn render(
    org: &OrgName,
    org_reason: &str,
    maintainer: &Maintainer,
    maintainer_reason: &str,
    workspace: &Workspace,
) -> Result<String, Error> {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let members = workspace.members.iter().map(|member| {
        minijinja::context! {
            kind => if member.kind == Kind::Service { "service" } else { "library" },
            name => member.name.as_str(),
            path => comment(&shown(&member.path)),
            reason => comment(&member.reason),
        }
    });
    let service = workspace.services().next();
    let mut environment = minijinja::Environment::new();
    environment.set_undefined_behavior(minijinja::UndefinedBehavior::SemiStrict);
    let mut text = environment.render_str(
        TEMPLATE,
        minijinja::context! {
            org => quoted(org.as_str()),
            org_reason => comment(org_reason),
            maintainer => quoted(&maintainer.to_string()),
            maintainer_reason => comment(maintainer_reason),
            license => common_license(workspace).map(quoted),
            targets => DEFAULT_TARGETS.map(quoted).to_vec(),
            members => members.collect::<Vec<minijinja::Value>>(),
            service => service.map(|service| service.name.as_str()),
            command => service.and_then(|service| service.commands.first()).map(String::as_str),
        },
    )?;
    text.push('\n');
    Ok(text)
}

fn shown(path: &Path) -> String {
    if path.as_os_str().is_empty() { ".".to_owned() } else { path.to_string_lossy().into_owned() }
}

/// The licence of all services, if they agree and it is an SPDX expression.
fn common_license(workspace: &Workspace) -> Option<&str> {
    let mut licenses = workspace.services().map(|service| service.license.as_deref());
    let first = licenses.next()??;
    (licenses.all(|license| license == Some(first)) && value::spdx(first).is_ok()).then_some(first)
}

/// A text that stays within its comment.
fn comment(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}
