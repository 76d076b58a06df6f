//! `packhouse init`.

use clap::Args;

use super::session::{Project, Session, detectors, people};
use super::{Failure, Output};
use crate::config;
use crate::survey::{self, Fact, Found, Proposal};
use crate::workspace;

/// Explain what is in the repository, and write the configuration that it needs.
///
/// Tells of each service why it is one, what it brings and what is missing. Writes the smallest `packhouse.toml` that is
/// needed, taking over what dh-virtualenv's debian/ says; a project of one service needs none. Never overwrites one.
#[derive(Debug, Args)]
pub(super) struct Init {
    /// Only print what would be written: nothing, when no file is needed.
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(session: &Session, arguments: &Init) -> Result<(), Failure> {
    let start = session.directory()?;
    let root = match config::project_root(&start)? {
        Some(root) => root,
        None => config::repository_root(&start)?,
    };
    let workspace = workspace::discover_unconfigured(&root, &detectors())?;
    let proposal = survey::propose(&workspace, &session.told(), &people(&workspace))?;
    // What is explained is what the configuration will make of it.
    let workspace = workspace::discover(&proposal.settings, &detectors())?;
    let mut settings = proposal.settings.clone();
    let notes = config::adopt(&mut settings, &workspace, &config::DialectOptions::default())?;
    let project = Project { settings, workspace, notes: notes.iter().map(ToString::to_string).collect() };
    explain(session, &project)?;
    let needed = !proposal.needs.is_empty();
    if needed && !arguments.dry_run {
        proposal.write()?;
    }
    match session.output() {
        Output::Json => session.print_json("configuration", &document(&proposal, needed && !arguments.dry_run)),
        Output::Human => tell(session, &project, &proposal, arguments.dry_run),
    }
}

/// All that is known of each service.
fn explain(session: &Session, project: &Project) -> Result<(), Failure> {
    let reporter = session.reporter();
    for service in project.workspace.services() {
        let found = Found::of(&project.workspace, service);
        let facts = survey::explain(session.context(project), service, &found);
        match session.output() {
            Output::Json => {
                let document = serde_json::json!({
                    "name": service.name, "path": service.path, "ecosystem": service.ecosystem, "facts": facts,
                });
                session.print_json("service", &document)?;
            }
            Output::Human => {
                for (index, Fact { subject, text, missing }) in facts.iter().enumerate() {
                    let verb = if index == 0 {
                        "Found"
                    } else if *missing {
                        "Missing"
                    } else {
                        ""
                    };
                    let name = if index == 0 { service.name.to_string() } else { "  ".to_owned() };
                    reporter.step(verb, &format!("{name} {subject}: {text}"));
                }
            }
        }
    }
    project.notes.iter().for_each(|note| reporter.note(note));
    Ok(())
}

fn document(proposal: &Proposal, written: bool) -> serde_json::Value {
    let Proposal { path, org, maintainer, needs, left, text, settings: _ } = proposal;
    let needed = !needs.is_empty();
    serde_json::json!({
        "path": path, "needed": needed, "why": needs, "written": written,
        "org": org.value, "org_from": org.reason, "maintainer": maintainer.value.to_string(), "maintainer_from": maintainer.reason,
        "not_carried_over": left, "text": needed.then_some(text),
    })
}

fn tell(session: &Session, project: &Project, proposal: &Proposal, dry_run: bool) -> Result<(), Failure> {
    let reporter = session.reporter();
    let Proposal { path, org, maintainer, needs, left, text, settings: _ } = proposal;
    reporter.step("Organisation", &format!("{} ({})", org.value, org.reason));
    reporter.step("Maintainer", &format!("{} ({})", maintainer.value, maintainer.reason));
    left.iter().for_each(|left| reporter.note(&format!("not carried over: {left}")));
    if needs.is_empty() {
        reporter.step("Nothing", "has to be written: a project of one service needs no packhouse.toml");
    }
    for need in needs {
        reporter.step("Needed", &format!("is a {}: {need}", config::FILE_NAME));
    }
    if dry_run {
        return if needs.is_empty() { Ok(()) } else { session.print(text.trim_end()) };
    }
    if !needs.is_empty() {
        reporter.step("Wrote", &path.display().to_string());
    }
    session.print(if project.workspace.services().next().is_some() {
        "Next: `packhouse vendor` downloads what is needed, `packhouse build` makes the packages."
    } else {
        "No service was found: `packhouse list` says why; `kind = \"service\"` under [services.NAME] makes one of a library."
    })
}
