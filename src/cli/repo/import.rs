//! `packhouse repo import`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::session::{Session, problem};
use crate::cli::{Failure, Output, key};
use crate::diagnostic::codes;
use crate::repo::import::{self, ImportOptions, ImportPlan};
use crate::repo::{self, Kind, PublishOptions};

/// Take over what reprepro, aptly or createrepo_c have published, or a directory of packages.
///
/// The source is read as clients read it and is not changed. Packages are hard-linked where the file system allows, and each
/// must be what its index says. What cannot be taken over is named; where a package is among it, nothing is changed.
#[derive(Debug, Args)]
pub(in crate::cli) struct Import {
    /// The directory that clients see: the one with `dists` in it or with `repodata`; or one with packages in it.
    source: PathBuf,
    /// The repository (default: `path` in [repository]).
    #[arg(long, value_name = "REPO")]
    repo: Option<PathBuf>,
    /// Only these suites; of packages without an index, and of a single yum repository, the suite they go to.
    #[arg(long, value_name = "SUITE")]
    suite: Vec<String>,
    /// The component of debs without an index.
    #[arg(long, value_name = "C", default_value = "main")]
    component: String,
    /// Copy the packages even where they could be linked.
    #[arg(long)]
    copy: bool,
    /// Sign rpms with the repository's key in the place of their own signature, which they otherwise keep.
    #[arg(long)]
    sign: bool,
    /// Leave out packages that cannot be taken over, instead of changing nothing.
    #[arg(long)]
    leave_out: bool,
    /// Only tell what would be taken over, and what not.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    key: key::KeyArguments,
}

pub(super) fn run(session: &Session, arguments: &Import) -> Result<(), Failure> {
    if arguments.suite.is_empty() && arguments.component.is_empty() {
        return Err(problem(
            &codes::INVALID_ARGUMENT,
            "`--component` is empty",
            "leave it out for `main`, or name one",
        ));
    }
    let options = ImportOptions {
        source: session.path(&arguments.source)?,
        suites: arguments.suite.clone(),
        component: arguments.component.clone(),
        leave_out: arguments.leave_out,
    };
    let mut plan = import::plan(&options)?;
    if arguments.dry_run {
        return show(session, &plan);
    }
    let mut repository = repo::open(&super::path(session, arguments.repo.as_ref())?)?;
    let time = key::now();
    let signer = key::signer(session, &arguments.key, time)?;
    let usual = PublishOptions::of(&signer, time, session.reporter());
    let publish = PublishOptions { link: !arguments.copy, sign_rpms: arguments.sign, ..usual };
    let published = import::import(&mut repository, &mut plan, arguments.leave_out, &publish)?;
    import::tell(&plan, session.reporter());
    for suite in &published.suites {
        match session.output() {
            Output::Json => session.print_json("suite", suite)?,
            Output::Human => session.print(&format!(
                "{} suite {}: {} packages ({} taken over, {} were there)\n    for clients: {}",
                name(suite.kind),
                suite.suite,
                suite.packages,
                suite.added.len(),
                suite.unchanged.len(),
                suite.snippet.display()
            ))?,
        }
    }
    Ok(())
}

/// What would happen.
fn show(session: &Session, plan: &ImportPlan) -> Result<(), Failure> {
    if session.output() == Output::Json {
        return session.print_json("import", plan);
    }
    for suite in &plan.suites {
        let identity = &suite.identity;
        let known = [
            ("Origin", &identity.origin),
            ("Label", &identity.label),
            ("Suite", &identity.suite),
            ("Codename", &identity.codename),
            ("Version", &identity.version),
        ];
        let known: Vec<String> =
            known.iter().filter_map(|(name, value)| Some(format!("{name}: {}", value.as_ref()?))).collect();
        let known = if known.is_empty() { String::new() } else { format!("\n    {}", known.join(", ")) };
        session.print(&format!("{} suite {}: {} packages{known}", name(suite.kind), suite.suite, suite.packages))?;
    }
    for left in &plan.left {
        session.print(&format!("not taken over: {}: {}", left.path, left.reason))?;
    }
    Ok(())
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Apt => "apt",
        Kind::Yum => "yum",
    }
}
