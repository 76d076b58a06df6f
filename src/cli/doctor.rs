//! `packhouse doctor`.

use std::fmt::Write as _;

use clap::Args;

use super::session::{Project, Session, problem};
use super::{Failure, Output};
use crate::diagnostic::codes;
use crate::doctor::{self, Finding, Ground, Status};
use crate::ecosystem::Context;
use crate::report::Silent;

/// Tell what this machine lacks for the project, with the commands that mend it.
///
/// Looks at tools, interpreters, isolation, git, disks, the clock, certificates, keys and the cache. Without a project it
/// looks at the machine in general. Changes nothing; ends with 4 when something is a problem.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// Ask each index whether it answers.
    #[arg(long)]
    network: bool,
}

pub(super) fn run(session: &Session, arguments: &Doctor) -> Result<(), Failure> {
    let project = session.project();
    let mut findings = vec![found(&project)];
    // What the steps of a build say on their way is not asked here.
    let silent = Silent;
    let context = project.as_ref().ok().map(|project| Context {
        settings: &project.settings,
        workspace: &project.workspace,
        cache: session.cache(),
        reporter: &silent,
        offline: !arguments.network,
        locked: true,
        threads: session.threads(),
    });
    findings.extend(doctor::examine(&Ground { project: context, cache: session.cache(), network: arguments.network }));
    for finding in &findings {
        match session.output() {
            Output::Json => session.print_json("doctor", finding)?,
            Output::Human => session.print(&text(finding))?,
        }
    }
    match findings.iter().filter(|finding| finding.status == Status::Problem).count() {
        0 => Ok(()),
        count => {
            let message = match count {
                1 => "this machine has 1 problem".to_owned(),
                count => format!("this machine has {count} problems"),
            };
            Err(problem(&codes::MACHINE_NOT_READY, message, "run the commands above, then `packhouse doctor` again"))
        }
    }
}

fn found(project: &Result<Project, Failure>) -> Finding {
    let topic = "project";
    match project {
        Ok(Project { settings, workspace, .. }) => {
            let targets: Vec<String> = settings.project.targets.iter().map(ToString::to_string).collect();
            let services = match workspace.services().count() {
                1 => "1 service".to_owned(),
                count => format!("{count} services"),
            };
            Finding::ok(topic, format!("{}: {services} for {}", settings.root.display(), targets.join(", ")))
        }
        Err(error) if error.code() == &codes::NO_CONFIGURATION => {
            Finding::ok(topic, "none here: what any project may need is looked at")
        }
        Err(error) => Finding::of(topic, error.as_ref()),
    }
}

fn text(finding: &Finding) -> String {
    let Finding { topic, status, message, remedy, .. } = finding;
    let status = match status {
        Status::Ok => "ok",
        Status::Warning => "warning",
        Status::Problem => "problem",
    };
    let mut text = format!("{status:<8} {topic:<13} {message}");
    if let Some(remedy) = remedy {
        // A String takes whatever is written.
        let _ = write!(text, "\n{:<8} {:<13} help: {remedy}", "", "");
    }
    text
}
