//! `packhouse build`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

mod compat;
mod compat_rpm;

use super::reporter::Noting;
use super::session::{Project, Session, problem};
use super::{Failure, Output};
use crate::build::{self, Action, Intent, Options, PreviousSource};
use crate::config::{self, DialectOptions};
use crate::diagnostic::codes;
use crate::ecosystem::{self, Context};
use crate::format::{self, Artefact, Effort};
use crate::fresh::{Answer, Call, Looked};
use crate::target::{Compression, Distribution, Format, Target, Unreadable, distributions, parse_target};
use crate::workspace::changes;
use compat::Compat;
use compat_rpm::CompatRpm;

/// Build packages from what is vendored, without network.
#[derive(Debug, Clone, Args)]
pub(super) struct Build {
    /// The services (default: all).
    services: Vec<String>,
    /// What to build for: debian-12, el9/x86_64, … (default: the project's targets).
    #[arg(short, long, value_name = "TARGET", value_delimiter = ',')]
    target: Vec<String>,
    /// Where the artefacts go (default: target/packhouse in the repository).
    #[arg(short, long, alias = "output", value_name = "DIR")]
    out: Option<PathBuf>,
    /// How hard to compress: fast while developing, small for releases (default: `effort` in [project]).
    #[arg(long, value_name = "EFFORT")]
    effort: Option<EffortName>,
    /// The compressor of all packages: zstd, xz or gzip (default: what is best among those that the target reads).
    #[arg(long, value_name = "NAME")]
    compression: Option<CompressionName>,
    /// Only the services that differ from this revision, in their own directories or in those of their libraries.
    #[arg(long, value_name = "REV")]
    changed_since: Option<String>,
    /// The packages published last: a repository, a directory of packages, or a .deb or .rpm (default: `path` in
    /// [repository]).
    #[arg(long, value_name = "REPO", conflicts_with = "no_previous")]
    previous: Option<PathBuf>,
    /// Do not compare with what was published.
    #[arg(long)]
    no_previous: bool,
    /// Build even though nothing has changed since the last time.
    #[arg(long)]
    force: bool,
    /// Only tell what would be built, in which order and why.
    #[arg(long)]
    dry_run: bool,
    /// Add nothing to what a table of cargo-deb or cargo-generate-rpm says, to compare the packages with theirs.
    #[arg(long)]
    strict_compat: bool,
    #[command(flatten)]
    cargo: Compat,
    #[command(flatten)]
    rpm: CompatRpm,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum EffortName {
    Fast,
    Default,
    Small,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum CompressionName {
    Zstd,
    Xz,
    Gzip,
}

impl From<EffortName> for Effort {
    fn from(name: EffortName) -> Self {
        match name {
            EffortName::Fast => Self::Fast,
            EffortName::Default => Self::Default,
            EffortName::Small => Self::Small,
        }
    }
}

impl From<CompressionName> for Compression {
    fn from(name: CompressionName) -> Self {
        match name {
            CompressionName::Zstd => Self::Zstd,
            CompressionName::Xz => Self::Xz,
            CompressionName::Gzip => Self::Gzip,
        }
    }
}

/// The targets with this compressor in place of their own.
fn compressed_with(targets: Vec<Target>, compression: Compression) -> Result<Vec<Target>, Failure> {
    let change = |target: Target| {
        let Target { distribution, architecture } = target;
        Ok(Target { distribution: distribution.compressed_with(compression)?, architecture })
    };
    let changed: Result<_, Unreadable> = targets.into_iter().map(change).collect();
    changed.map_err(|error| problem(&codes::UNREADABLE_COMPRESSION, error.to_string(), Unreadable::HINT))
}

pub(super) fn run(session: &Session, arguments: &Build) -> Result<(), Failure> {
    arguments.cargo.settle()?;
    arguments.rpm.settle()?;
    let dialects = dialects(session, arguments)?;
    if arguments.dry_run {
        return dry_run(session, arguments, &dialects);
    }
    // An edit right before the build, and the first build's own directory, are a moment's matter.
    if attempt(session, arguments, &dialects, true)? {
        Ok(())
    } else {
        attempt(session, arguments, &dialects, false).map(|_| ())
    }
}

/// What the command line says about the tables of other tools.
fn dialects(session: &Session, arguments: &Build) -> Result<DialectOptions, Failure> {
    let named = arguments.services.iter().chain(arguments.cargo.packages());
    let named = named.map(|name| name.split('@').next().unwrap_or(name).to_owned()).collect();
    let mut options = DialectOptions {
        strict_compat: arguments.strict_compat,
        formats: formats(arguments),
        services: named,
        overlays: arguments.rpm.overlays(session)?,
        overrides: arguments.cargo.overrides(),
    };
    options.overrides.auto_req = arguments.rpm.auto_req()?;
    Ok(options)
}

/// The formats of the targets that the command line names, when it names some that are built in.
fn formats(arguments: &Build) -> Option<Vec<Format>> {
    let known = distributions();
    let formats = arguments.target.iter().map(|text| parse_target(text, &known).ok().map(|target| target.format()));
    formats.collect::<Option<Vec<Format>>>().filter(|formats| !formats.is_empty())
}

/// Gives false when nothing was built yet, and a second attempt will leave a record; only if it `may_wait`.
fn attempt(session: &Session, arguments: &Build, dialects: &DialectOptions, may_wait: bool) -> Result<bool, Failure> {
    // Before anything is read: what changes from now on is not in the record.
    let forceless = Build { force: false, ..arguments.clone() };
    let said = format!("{forceless:?}\n{dialects:?}\n{}", session.requirements());
    let call = Call::new(session.cache(), &session.directory()?, &said);
    let reporter = session.reporter();
    let answer = match &call {
        Ok(call) if !arguments.force => call.answer().map_err(|why| why.to_string()),
        Ok(_) => Err("it was asked for".to_owned()),
        Err(why) => Err(why.to_string()),
    };
    match answer {
        Ok(answer) => {
            answer.notes.iter().for_each(|note| reporter.note(note));
            let what = match answer.artefacts.len() {
                1 => "1 package".to_owned(),
                count => format!("{count} packages"),
            };
            reporter.step("Fresh", &format!("{what}: nothing has changed since the last build"));
            let out = out(session, arguments, &answer.root)?;
            // Of a build that was killed since.
            drop(format::remove_leftovers(&out));
            print(session, &answer.artefacts, &out)?;
            return Ok(true);
        }
        Err(why) => reporter.detail(&format!("not fresh: {why}")),
    }
    let project = session.project_with(dialects)?;
    let options = options(session, &project, arguments)?;
    let manifest = session.manifest()?;
    let looked = Looked {
        settings: &project.settings,
        workspace: &project.workspace,
        out: &options.out,
        previous: &options.previous,
        manifest: manifest.as_deref(),
        revision: arguments.changed_since.as_deref(),
    };
    let prepare = || {
        if let Some(service) = options.services.first() {
            ecosystem::of(service.ecosystem).prepare(session.context(&project), service);
        }
    };
    let watched = call.as_ref().map(|call| rayon::join(|| call.watch(session.cache(), &looked), prepare).0);
    let watch = match watched {
        Ok(watched) => match watched {
            Err(why) if may_wait && why.passes() => return Ok(false),
            watch => watch.map_err(|why| why.to_string()),
        },
        Err(why) => Err(why.to_string()),
    };
    if let Some(revision) = arguments.changed_since.as_ref().filter(|_| options.services.is_empty()) {
        reporter.step("Fresh", &format!("no service differs from {revision}"));
    }
    let noting = Noting::new(reporter, &project.notes);
    let context = Context { reporter: &noting, ..session.context(&project) };
    let artefacts = build::build(context, &options)?;
    print(session, &artefacts, &options.out)?;
    let answer = Answer { artefacts, notes: noting.notes(), root: project.settings.root.clone() };
    // That there is no record only means that the next build is no faster.
    if let Err(why) = watch.and_then(|watch| watch.keep(session.cache(), &answer).map_err(|why| why.to_string())) {
        reporter.detail(&format!("the next build will not be fresh: {why}"));
    }
    Ok(true)
}

fn dry_run(session: &Session, arguments: &Build, dialects: &DialectOptions) -> Result<(), Failure> {
    let project = session.project_with(dialects)?;
    let options = options(session, &project, arguments)?;
    build::intents(session.context(&project), &options)?.iter().try_for_each(|intent| match session.output() {
        Output::Json => session.print_json("intent", intent),
        Output::Human => {
            let Intent { service, target, action, why } = intent;
            let action = match action {
                Action::Build => "build",
                Action::Fresh => "fresh",
            };
            session.print(&format!("{action}  {service} for {target}: {why}"))
        }
    })
}

/// What to build, and where to.
fn options<'a>(session: &Session, project: &'a Project, arguments: &Build) -> Result<Options<'a>, Failure> {
    let named = [arguments.services.clone(), arguments.cargo.services(session, project)?].concat();
    let mut services = project.services(&named)?;
    if let Some(revision) = &arguments.changed_since {
        let changed = changes::since(&project.workspace, revision)?;
        services.retain(|service| changed.contains(service.name.as_str()));
    }
    let known = &project.settings.distributions;
    let (names, of_triples) = compat::triples(&arguments.target, &project.settings.project.targets)?;
    let targets = if arguments.target.is_empty() {
        project.settings.project.targets.clone()
    } else {
        [targets(&names, known)?, of_triples].concat()
    };
    let compression = arguments.compression.map(Compression::from).or_else(|| arguments.cargo.compression());
    let targets = match compression {
        Some(compression) => compressed_with(targets, compression)?,
        None => targets,
    };
    let targets = arguments.rpm.targets(targets)?;
    let effort = arguments.effort.map(Effort::from).or_else(|| arguments.cargo.effort());
    let effort = effort.unwrap_or(project.settings.project.effort);
    let out = out(session, arguments, &project.settings.root)?;
    let previous = match &arguments.previous {
        Some(path) => PreviousSource::Path(session.path(path)?),
        None if arguments.no_previous => PreviousSource::Nowhere,
        None => PreviousSource::Repository,
    };
    Ok(Options { services, targets, out, previous, force: arguments.force, effort })
}

/// The targets of these names.
pub(super) fn targets(names: &[String], known: &[Distribution]) -> Result<Vec<Target>, Failure> {
    let target = |name: &String| {
        parse_target(name, known)
            .map_err(|error| problem(&codes::UNKNOWN_TARGET, error.to_string(), config::meant_target(&error, known)))
    };
    names.iter().map(target).collect()
}

/// Where the artefacts go.
fn out(session: &Session, arguments: &Build, root: &Path) -> Result<PathBuf, Failure> {
    match &arguments.out {
        Some(out) => session.path(compat::output(out)?),
        None => Ok(root.join("target/packhouse")),
    }
}

fn print(session: &Session, artefacts: &[Artefact], out: &Path) -> Result<(), Failure> {
    artefacts.iter().try_for_each(|artefact| match session.output() {
        Output::Json => session.print_json("artefact", artefact),
        Output::Human => session.print(&out.join(&artefact.file).display().to_string()),
    })
}
