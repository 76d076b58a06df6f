//! `packhouse publish`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::session::{Session, problem};
use super::{Failure, Output, key};
use crate::build::Artefacts;
use crate::diagnostic::codes;
use crate::repo::{self, Item, Kind, PublishOptions, publish};

/// Add packages to a repository: debs and dscs to its apt suites, rpms to its yum suites.
#[derive(Debug, Args)]
pub(super) struct Publish {
    /// Packages, or a packhouse-artefacts.json.
    #[arg(required_unless_present = "comps")]
    files: Vec<PathBuf>,
    /// The repository (default: `path` in [repository]).
    #[arg(long, value_name = "REPO")]
    repo: Option<PathBuf>,
    /// The suite; `{target}` in it stands for the target each artefact was built for: debian-12, el9.
    #[arg(long, value_name = "SUITE")]
    suite: String,
    /// The component of an apt suite.
    #[arg(long, value_name = "C", default_value = "main")]
    component: String,
    /// Give the new packages of an apt suite to this percentage of the machines only (0 to 100); `repo phase` raises it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=100))]
    phase: Option<u8>,
    #[command(flatten)]
    key: key::KeyArguments,
    /// Group metadata (comps.xml) for the yum suite.
    #[arg(long, value_name = "FILE")]
    comps: Option<PathBuf>,
    /// Replace a package of the same name and version that has another content.
    #[arg(long)]
    force: bool,
}

pub(super) fn run(session: &Session, arguments: &Publish) -> Result<(), Failure> {
    let items = items(session, arguments)?;
    let mut repository = repo::open(&super::repo::path(session, arguments.repo.as_ref())?)?;
    let time = key::now();
    let signer = key::signer(session, &arguments.key, time)?;
    let options = PublishOptions {
        force: arguments.force,
        phase: arguments.phase,
        ..PublishOptions::of(&signer, time, session.reporter())
    };
    if let Some(comps) = &arguments.comps {
        repo::set_groups(&mut repository, &arguments.suite, &session.path(comps)?, &options)?;
    }
    let published = publish(&mut repository, &items, &options)?;
    for suite in &published.suites {
        if session.output() == Output::Json {
            session.print_json("suite", suite)?;
            continue;
        }
        let kind = match suite.kind {
            Kind::Apt => "apt",
            Kind::Yum => "yum",
        };
        let counts = [("new", &suite.added), ("replaced", &suite.replaced), ("unchanged", &suite.unchanged)];
        let counts: Vec<String> = counts
            .iter()
            .filter(|(_, packages)| !packages.is_empty())
            .map(|(what, packages)| format!("{} {what}", packages.len()))
            .collect();
        session.print(&format!(
            "{kind} suite {}: {} packages ({})\n    for clients: {}",
            suite.suite,
            suite.packages,
            counts.join(", "),
            suite.snippet.display()
        ))?;
    }
    Ok(())
}

fn items(session: &Session, arguments: &Publish) -> Result<Vec<Item>, Failure> {
    let mut items = Vec::new();
    let mut targets: Vec<String> = Vec::new();
    for file in &arguments.files {
        let path = session.path(file)?;
        if path.extension().is_some_and(|extension| extension == "json") {
            for (path, artefact) in Artefacts::read(&path)? {
                let target = artefact.target.split('/').next().unwrap_or_default();
                items.push(Item {
                    path,
                    suite: arguments.suite.replace("{target}", target),
                    component: arguments.component.clone(),
                    sha256: Some(artefact.sha256),
                });
                if !targets.iter().any(|known| known == target) {
                    targets.push(target.to_owned());
                }
            }
        } else {
            items.push(item(&path, arguments)?);
        }
    }
    let mixed = |prefix: &[&str]| {
        targets.iter().filter(|target| prefix.iter().any(|name| target.starts_with(name))).count() > 1
    };
    if !arguments.suite.contains("{target}") && (mixed(&["debian", "ubuntu"]) || mixed(&["el", "fedora"])) {
        let message =
            format!("the artefacts are for {}, and one suite cannot hold two distributions", targets.join(", "));
        return Err(problem(
            &codes::INVALID_ARGUMENT,
            message,
            "give a --suite with {target} in it: --suite '{target}'",
        ));
    }
    Ok(items)
}

fn item(path: &Path, arguments: &Publish) -> Result<Item, Failure> {
    if arguments.suite.contains("{target}") {
        let message = format!("what `{}` was built for stands only in a packhouse-artefacts.json", path.display());
        return Err(problem(
            &codes::INVALID_ARGUMENT,
            message,
            "publish that file, or name the suite itself: --suite NAME",
        ));
    }
    Ok(Item {
        path: path.to_path_buf(),
        suite: arguments.suite.clone(),
        component: arguments.component.clone(),
        sha256: None,
    })
}
