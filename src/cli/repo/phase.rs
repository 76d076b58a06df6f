//! `packhouse repo phase`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::super::session::{Session, failure, problem};
use super::super::{Failure, Output, key};
use crate::diagnostic::codes;
use crate::repo::phase::{self, Chosen, PhaseOptions, Phased, Wanted, schedule};
use crate::repo::{self, Repository};

/// Give an update to some machines first, or show who has got one.
///
/// Without PACKAGE: everything that not all machines get. With it: how its newest version is rolled out. With N as well,
/// or a schedule: that it be given to N percent of the machines from now on, all binary packages of its source at once.
#[derive(Debug, Args)]
pub(in crate::cli) struct Phase {
    /// The package or its source package, NAME or NAME=SOURCE-VERSION (default: its newest version).
    package: Option<String>,
    /// The percentage of machines that get it, 0 to 100; apt gives it to one in a hundred even at 0.
    #[arg(value_name = "N", value_parser = clap::value_parser!(u8).range(0..=100))]
    percentage: Option<u8>,
    /// The repository (default: `path` in [repository]).
    #[arg(long, value_name = "REPO")]
    repo: Option<PathBuf>,
    /// The apt suite (default: all that have the package).
    #[arg(long, value_name = "SUITE")]
    suite: Option<String>,
    /// Raise the percentage with time, now and for every later version: AFTER:PERCENT,… as in "1h:5,6h:25,1d:100", or
    /// "none". `repo refresh` takes the steps that are due.
    #[arg(long, value_name = "STEPS", conflicts_with = "percentage", requires = "package")]
    schedule: Option<String>,
    /// Change nothing: say which of these machines get it (with N: would get it). Machine IDs, or files with one a line.
    #[arg(long, value_name = "MACHINE-ID", num_args = 1.., conflicts_with = "schedule")]
    simulate: Vec<String>,
    /// Take the steps of schedules that are due, as `repo refresh` does.
    #[arg(long, conflicts_with_all = ["package", "simulate", "dry_run"])]
    advance: bool,
    /// Change nothing: show what would be.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    key: key::KeyArguments,
}

pub(super) fn run(session: &Session, arguments: &Phase) -> Result<(), Failure> {
    let repository = repo::open(&super::path(session, arguments.repo.as_ref())?)?;
    let chosen = arguments.package.as_deref().map(|package| match package.split_once('=') {
        Some((name, version)) => Chosen { name, version: Some(version) },
        None => Chosen { name: package, version: None },
    });
    if !arguments.simulate.is_empty() {
        return simulate(session, arguments, &repository, chosen);
    }
    if arguments.advance {
        return advance(session, arguments, &repository);
    }
    let phased = match (chosen, wanted(arguments)?) {
        (Some(chosen), Some(wanted)) => change(session, arguments, &repository, chosen, &wanted)?,
        (chosen, _) => phase::list(&repository, arguments.suite.as_deref(), chosen)?,
    };
    for phased in &phased {
        match session.output() {
            Output::Json => session.print_json("phase", phased)?,
            Output::Human => session.print(&described(phased))?,
        }
    }
    Ok(())
}

fn wanted(arguments: &Phase) -> Result<Option<Wanted>, Failure> {
    Ok(match (arguments.percentage, arguments.schedule.as_deref()) {
        (Some(percentage), _) => Some(Wanted::Percentage(percentage)),
        (None, Some("none")) => Some(Wanted::Unscheduled),
        (None, Some(steps)) => Some(Wanted::Schedule(schedule::parse(steps)?)),
        (None, None) => None,
    })
}

fn change(
    session: &Session,
    arguments: &Phase,
    repository: &Repository,
    chosen: Chosen<'_>,
    wanted: &Wanted,
) -> Result<Vec<Phased>, Failure> {
    let time = key::now();
    let options = PhaseOptions { suite: arguments.suite.as_deref(), time, reporter: session.reporter() };
    // Whoever only tries needs no key.
    let signer = match arguments.dry_run {
        true => None,
        false => Some(key::signer(session, &arguments.key, time)?),
    };
    Ok(phase::set(repository, chosen, wanted, signer.as_ref(), &options)?)
}

fn advance(session: &Session, arguments: &Phase, repository: &Repository) -> Result<(), Failure> {
    let time = key::now();
    let options = PhaseOptions { suite: arguments.suite.as_deref(), time, reporter: session.reporter() };
    let signer = key::signer(session, &arguments.key, time)?;
    for step in phase::advance_all(repository, &signer, &options)? {
        match session.output() {
            Output::Json => session.print_json("step", &serde_json::json!({"step": step}))?,
            Output::Human => session.print(&step)?,
        }
    }
    Ok(())
}

fn described(phased: &Phased) -> String {
    let Phased { suite, source, version, percentage, packages, schedule } = phased;
    let percentage = percentage.map_or_else(|| "everybody".to_owned(), |percentage| format!("{percentage} %"));
    let packages: Vec<&str> = packages.iter().map(String::as_str).collect();
    let schedule = schedule.as_ref().map(|steps| format!("\n    schedule: {steps}")).unwrap_or_default();
    format!("{suite}: {source} {version}: {percentage} ({}){schedule}", packages.join(", "))
}

fn simulate(
    session: &Session,
    arguments: &Phase,
    repository: &Repository,
    chosen: Option<Chosen<'_>>,
) -> Result<(), Failure> {
    let mut machines = Vec::new();
    for named in &arguments.simulate {
        machines.extend(machine_ids(session, named)?);
    }
    for phased in phase::list(repository, arguments.suite.as_deref(), chosen)? {
        let percentage = arguments.percentage.or(phased.percentage);
        let mut admitted = 0;
        for machine in &machines {
            let number = phase::draw(&phased.source, &phased.version, machine);
            let gets = phase::admits(percentage, number);
            admitted += usize::from(gets);
            if session.output() == Output::Json {
                session.print_json(
                    "machine",
                    &serde_json::json!({
                        "machine": machine, "suite": phased.suite, "source": phased.source, "version": phased.version,
                        "percentage": percentage, "draw": number, "gets": gets,
                    }),
                )?;
                continue;
            }
            let verdict = if gets { "gets it" } else { "held back" };
            session.print(&format!(
                "{machine} {}: {} {}: {verdict} (drew {number})",
                phased.suite, phased.source, phased.version
            ))?;
        }
        if session.output() == Output::Human {
            let percentage = percentage.map_or_else(|| "everybody".to_owned(), |percentage| format!("{percentage} %"));
            session.print(&format!(
                "{}: {} {} ({percentage}): {admitted} of {} machines",
                phased.suite,
                phased.source,
                phased.version,
                machines.len()
            ))?;
        }
    }
    Ok(())
}

/// The machine IDs that an argument means: itself, or the lines of a file.
fn machine_ids(session: &Session, named: &str) -> Result<Vec<String>, Failure> {
    let path = session.path(Path::new(named))?;
    if !path.is_file() {
        return machine_id(named).map(|machine| vec![machine]);
    }
    let text = fs_err::read_to_string(&path).map_err(failure)?;
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(machine_id).collect()
}

/// machine-id(5): 32 lower-case hexadecimal digits; apt takes the line as it is.
fn machine_id(text: &str) -> Result<String, Failure> {
    let good = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    match good {
        true => Ok(text.to_owned()),
        false => Err(problem(
            &codes::INVALID_ARGUMENT,
            format!("`{text}` is neither a file nor a machine ID"),
            "a machine ID has 32 digits 0-9 a-f: `cat /etc/machine-id` prints one",
        )),
    }
}
