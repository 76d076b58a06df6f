//! From vendored sources to artefacts: stage, assemble, write. Offline; nothing here or below opens a connection.
//!
//! Services and targets are independent of one another, so they are staged and packed side by side (see `build/plan.rs`);
//! what is made from the same as the last time is not made again. Artefacts come into place by renames; the list of them,
//! `packhouse-artefacts.json`, is written last.

mod claims;
pub mod directory;
mod help;
mod inputs;
mod layout;
mod packing;
mod plan;
mod previous;
mod recorder;
mod records;
mod revision;

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::cache::Blocks;
use crate::check::{self, Severity, Subject};
use crate::diagnostic::{Clue, Code, Diagnose, ExitCode, Location, codes, io_code, io_hints};
use crate::digest::Sha256;
use crate::ecosystem::{self, Context, Release};
use crate::fingerprint::Files;
use crate::format::{self, Artefact, Effort, WriteOptions, Written};
use crate::package::{self, Changelog, Inputs, Package, Version, version};
use crate::report::{Activity, Unit};
use crate::target::{Format, Target};
use crate::tree::facts;
use crate::workspace::Member;
use crate::workspace::history::{ChangelogRequest, History, HistoryError, SourceVersion, VersionOrigin};
use claims::Claims;
use help::Question;
pub(crate) use inputs::files_of;
use packing::Packing;
use plan::Planned;
use previous::Published;
pub(crate) use previous::local as local_repository;
pub use previous::{NoPackages, PreviousSource};
use recorder::{Recorder, Said};
use records::Record;

/// The file that lists what a build made.
pub const ARTEFACTS_FILE: &str = "packhouse-artefacts.json";

/// What to build, and where to.
#[derive(Debug, Clone)]
pub struct Options<'a> {
    /// The services.
    pub services: Vec<&'a Member>,
    /// The targets.
    pub targets: Vec<Target>,
    /// The directory for the artefacts; made when it is not there.
    pub out: PathBuf,
    /// Where the packages are that were published last.
    pub previous: PreviousSource,
    /// Build also what is made from the same as the last time.
    pub force: bool,
    /// How hard to compress.
    pub effort: Effort,
}

/// `packhouse-artefacts.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artefacts {
    /// 1.
    pub schema_version: u32,
    /// Sorted by file name.
    pub artefacts: Vec<Artefact>,
}

/// Why a build failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The packages that were published last cannot be read.
    #[error("cannot read the packages that were published last: {0}")]
    Published(ecosystem::Error),
    /// The services do not fit each other.
    #[error(transparent)]
    Services(Box<package::Error>),
    /// A step failed for one service.
    #[error("cannot build {service} for {target}: {error}")]
    Step {
        /// The service.
        service: String,
        /// The target.
        target: String,
        /// What failed.
        error: ecosystem::Error,
    },
    /// Two targets gave different packages of one name.
    #[error("`{}` comes out differently for {first} and for {second}", file.display())]
    SameFile {
        /// The file.
        file: PathBuf,
        /// One target.
        first: String,
        /// The other.
        second: String,
    },
    /// The version or the history of a service could not be told.
    #[error("cannot tell the version of {service}: {error}")]
    Version {
        /// The service.
        service: String,
        /// Why.
        error: ecosystem::Error,
    },
    /// A list of artefacts that is none.
    #[error("{} is no list of artefacts: {reason}", path.display())]
    List {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl Error {
    fn inner(&self) -> Option<&(dyn Diagnose + Send + Sync)> {
        match self {
            Self::Step { error, .. } | Self::Version { error, .. } | Self::Published(error) => Some(error.as_ref()),
            Self::Services(error) => Some(error.as_ref()),
            Self::Io(_) | Self::List { .. } | Self::SameFile { .. } => None,
        }
    }
}

impl Diagnose for Error {
    fn code(&self) -> &'static Code {
        match self {
            Self::Io(error) => io_code(error),
            Self::SameFile { .. } => &codes::TARGETS_DIFFER,
            Self::List { .. } => &codes::NOT_AN_ARTEFACT_LIST,
            Self::Step { error, .. } | Self::Version { error, .. } | Self::Published(error) => error.code(),
            Self::Services(error) => error.code(),
        }
    }

    fn exit_code(&self) -> ExitCode {
        self.inner().map_or(ExitCode::Failed, Diagnose::exit_code)
    }

    fn location(&self) -> Option<&Location> {
        self.inner().and_then(Diagnose::location)
    }

    fn clues(&self) -> Vec<Clue> {
        self.inner().map(Diagnose::clues).unwrap_or_default()
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Io(error) => io_hints(error),
            Self::SameFile { .. } => vec!["build the two targets into directories of their own, with --out".to_owned()],
            _ => self.inner().map(Diagnose::hints).unwrap_or_default(),
        }
    }
}

/// One service for one target.
struct Job<'a> {
    service: &'a Member,
    target: &'a Target,
}

impl Job<'_> {
    fn failed(&self, error: ecosystem::Error) -> Error {
        Error::Step { service: self.service.name.to_string(), target: self.target.to_string(), error }
    }
}

/// What all jobs share.
struct Shared<'a> {
    history: History<'a>,
    files: Files,
    packing: Packing,
    blocks: Blocks,
    effort: Effort,
    published: Published,
    claims: Claims,
    said: Said,
}

impl<'a> Shared<'a> {
    fn open(context: Context<'a>, options: &Options<'_>) -> Result<Self, Error> {
        package::check_shared_paths(context.settings, context.workspace)
            .map_err(|error| Error::Services(Box::new(error)))?;
        Ok(Self {
            history: open_history(context)?,
            files: inputs::files(context, options),
            packing: Packing::new(options.effort),
            blocks: Blocks::of(context.cache),
            effort: options.effort,
            published: Published::open(context.settings, &options.previous).map_err(Error::Published)?,
            claims: Claims::default(),
            said: Said::default(),
        })
    }

    fn write_options(&self) -> WriteOptions<'_> {
        WriteOptions { effort: self.effort, blocks: Some(&self.blocks), ..WriteOptions::default() }
    }
}

/// What a build would do for one service and target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Intent {
    /// The service.
    pub service: String,
    /// The target.
    pub target: String,
    /// What would be done.
    pub action: Action,
    /// Why.
    pub why: String,
}

/// What would be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It would be staged and packed.
    Build,
    /// Its artefacts would stay as they are.
    Fresh,
}

/// What [`build`] would do: first what it would build, in the order in which it would begin, then what is fresh. Builds and
/// writes nothing.
pub fn intents(context: Context<'_>, options: &Options<'_>) -> Result<Vec<Intent>, Error> {
    let shared = Shared::open(context, options)?;
    let planned = plan::plan(context, &shared, options, &options.targets);
    let order = plan::order(&planned);
    let planned = planned.into_iter().collect::<Result<Vec<Planned<'_>>, _>>()?;
    let fresh = (0..planned.len()).filter(|index| !order.contains(index));
    let intent = |Planned { job, stale, .. }: &Planned<'_>| Intent {
        service: job.service.name.to_string(),
        target: job.target.to_string(),
        action: if stale.is_some() { Action::Build } else { Action::Fresh },
        why: stale.clone().unwrap_or_else(|| "nothing has changed".to_owned()),
    };
    Ok(order.iter().copied().chain(fresh).filter_map(|index| planned.get(index)).map(intent).collect())
}

/// Builds every service for every target, and lists what came out.
pub fn build(context: Context<'_>, options: &Options<'_>) -> Result<Vec<Artefact>, Error> {
    let shared = Shared::open(context, options)?;
    fs_err::create_dir_all(&options.out)?;
    format::remove_leftovers(&options.out)?;
    facts::keep_in(context.cache);
    let planned = plan::plan(context, &shared, options, &options.targets);
    shared.files.keep(context.cache);
    let taken: Vec<_> = planned.iter().map(|planned| take(context, &shared, planned)).collect();
    let fresh = taken.iter().flatten().count();
    context.reporter.detail(&format!("{fresh} of {} jobs need not be done", planned.len()));
    let rest = (planned.len() - fresh) as u64;
    let progress = (rest > 0).then(|| context.reporter.progress("Building", rest, Unit::Items));
    let made = plan::run(&planned, context.threads, |planned| {
        let made = build_one(context, &shared, planned, &options.out);
        if let Some(progress) = &progress {
            progress.advance(1);
        }
        made
    });
    drop(progress);
    shared.files.keep(context.cache);
    let done = taken.into_iter().zip(made).map(|(taken, made)| taken.or(made));
    let results: Vec<Result<Vec<Artefact>, Error>> = planned
        .into_iter()
        .zip(done)
        .map(|(planned, done)| planned.and_then(|_| done.unwrap_or_else(|| Ok(Vec::new()))))
        .collect();
    shared.published.finish(context.reporter);
    let mut artefacts = results.into_iter().collect::<Result<Vec<_>, _>>()?.concat();
    // Only now: of a content that was found damaged when it was packed, nothing may be known.
    facts::save(context.cache);
    artefacts.sort_by(|left, right| (&left.file, &left.target).cmp(&(&right.file, &right.target)));
    one_for_each_file(&mut artefacts)?;
    Artefacts { schema_version: 1, artefacts: artefacts.clone() }.write(&options.out)?;
    Ok(artefacts)
}

/// The artefacts of a job that need not be done.
fn take(
    context: Context<'_>,
    shared: &Shared<'_>,
    planned: &Result<Planned<'_>, Error>,
) -> Option<Result<Vec<Artefact>, Error>> {
    let planned = planned.as_ref().ok().filter(|planned| planned.stale.is_none())?;
    let taken = planned.take(context, shared);
    for artefact in taken.iter().flatten() {
        context.reporter.step("Fresh", &artefact.file.display().to_string());
    }
    Some(taken)
}

/// Does one job, and keeps a record of it if what it was made from can be told and is still the same.
fn build_one(
    context: Context<'_>,
    shared: &Shared<'_>,
    planned: &Planned<'_>,
    out: &Path,
) -> Result<Vec<Artefact>, Error> {
    let Planned { job, released, fingerprint, stale, .. } = planned;
    let (service, target) = (job.service.name.as_str(), job.target.to_string());
    if let Some(reason) = stale {
        context.reporter.detail(&format!("{service} for {target}: {reason}"));
    }
    let began = Instant::now();
    let recorder = Recorder::new(context.reporter, &shared.said);
    let activity = context.reporter.activity(&format!("{service} for {target}"));
    let own = Context { reporter: &recorder, ..context };
    let made = make(own, shared, job, released, out, activity.as_ref())?;
    drop(activity);
    let (artefacts, claims): (Vec<Artefact>, Vec<_>) = made.into_iter().unzip();
    artefacts.iter().for_each(|artefact| context.reporter.step("Built", &artefact.file.display().to_string()));
    if let Some(before) = fingerprint {
        // What was changed while it was read may be in the artefact, and nobody knows in which state.
        let now = plan::look(context, shared, job.service, &[(job.target, released)]).unwrap_or_default();
        if now.first() == Some(before) {
            let record = Record {
                inputs: before.parts().clone(),
                artefacts: artefacts.clone(),
                notes: recorder.notes(),
                claims,
                duration: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            };
            record.write(context, service, &target);
        }
    }
    Ok(artefacts)
}

/// Targets that differ in their architecture alone give one file when the package has none (`all`, `noarch`): it is listed
/// once. `artefacts` are sorted by their files.
fn one_for_each_file(artefacts: &mut Vec<Artefact>) -> Result<(), Error> {
    let differing = artefacts.windows(2).find_map(|pair| match pair {
        [left, right] if left.file == right.file && left.sha256 != right.sha256 => Some((left, right)),
        _ => None,
    });
    if let Some((left, right)) = differing {
        return Err(Error::SameFile {
            file: left.file.clone(),
            first: left.target.clone(),
            second: right.target.clone(),
        });
    }
    artefacts.dedup_by(|right, left| right.file == left.file);
    Ok(())
}

/// The changelog of a service as a package for `target` (else for Debian 12) would have it.
pub fn changelog(context: Context<'_>, service: &Member, target: &Target) -> Result<Changelog, Error> {
    let history = open_history(context)?;
    Ok(release(context, &history, &Job { service, target })?.changelog)
}

fn open_history(context: Context<'_>) -> Result<History<'_>, Error> {
    History::open(context.workspace)
        .map_err(|error| Error::Version { service: "the services".to_owned(), error: Box::new(error) })
}

/// What history says of a service.
struct Released {
    version: Version,
    changelog: Changelog,
    time: i64,
    /// What its language is told.
    release: Release,
}

fn release(context: Context<'_>, history: &History<'_>, job: &Job<'_>) -> Result<Released, Error> {
    let Job { service, target } = job;
    let failed = |error: ecosystem::Error| Error::Version { service: service.name.to_string(), error };
    let settings = context.settings.service_for(&service.name, target.format());
    let source = match &settings.version {
        // A table of one format may have a version of its own.
        Some(text) => SourceVersion {
            text: text.clone(),
            scheme: match version::Scheme::of(service.ecosystem) {
                // `--deb-version` and its like name the package's version.
                scheme if settings.dialect.is_some() && !version::is_valid(text, scheme) => version::Scheme::Package,
                scheme => scheme,
            },
            snapshot: None,
            from: VersionOrigin::Setting,
        },
        None => history.source_version(service, context.settings).map_err(|error| failed(error.into()))?,
    };
    let time = history.source_date_epoch(service).map_err(|error| failed(error.into()))?;
    let version = version::map(
        &source.text,
        source.scheme,
        source.snapshot.as_ref(),
        settings.epoch.unwrap_or(0),
        settings.revision.unwrap_or(1),
        &target.distribution,
    );
    let mut version = version.map_err(|error| failed(error.into()))?;
    version.revision = revision::of(&settings, &target.distribution);
    let request = ChangelogRequest {
        member: service,
        source: &source,
        version: &version,
        maintainer: context.settings.maintainer(&settings),
        time,
        distribution: &target.distribution,
    };
    let changelog = history.changelog(&request).map_err(|error| failed(error.into()))?;
    let release = releases(context, history, service, time).map_err(failed)?;
    Ok(Released { version, changelog, time, release })
}

/// The versions and times of a service and its libraries. A library whose version neither its manifest nor a tag tells has
/// none: its back end may know one.
fn releases(
    context: Context<'_>,
    history: &History<'_>,
    service: &Member,
    time: i64,
) -> Result<Release, ecosystem::Error> {
    let mut release = Release { time, ..Release::default() };
    for member in std::iter::once(service).chain(context.workspace.closure(service)) {
        if member.ecosystem != service.ecosystem {
            continue;
        }
        let source = match history.source_version(member, context.settings) {
            Ok(source) => Some(source),
            Err(HistoryError::NoVersion { .. }) => None,
            Err(error) => return Err(Box::new(error)),
        };
        if let Some(source) = source.filter(|source| source.from != VersionOrigin::Manifest) {
            release.versions.insert(member.ecosystem_name.clone(), source.spelt());
        }
        if !std::ptr::eq(member, service) {
            release.times.insert(member.ecosystem_name.clone(), history.source_date_epoch(member)?);
        }
    }
    Ok(release)
}

/// An artefact, and the paths of its package that no other may have.
type Made = (Artefact, (String, Vec<String>));

fn make(
    context: Context<'_>,
    shared: &Shared<'_>,
    job: &Job<'_>,
    released: &Released,
    out: &Path,
    activity: &dyn Activity,
) -> Result<Vec<Made>, Error> {
    let Job { service, target } = job;
    let failed = |error: ecosystem::Error| job.failed(error);
    let Released { version, changelog, time, release } = released;
    activity.stage("staging");
    let mut staged = ecosystem::of(service.ecosystem).stage(context, service, target, release).map_err(failed)?;
    let (isolation, debug) = (staged.isolation.clone(), staged.debug.clone());
    let settings = context.settings.service_for(&service.name, target.format());
    let asked = help::askable(&staged, &settings, context.settings, service, target).map_err(failed)?;
    let question = Question { context, service, target, staged: &asked, time: *time };
    activity.stage("assembling");
    // The commands are at work while everything is put together that does not depend on what they say.
    let (package, previous) = std::thread::scope(|scope| -> Result<_, ecosystem::Error> {
        let help = scope.spawn(|| help::ask(&question));
        for note in package::licenses::settle(context.settings, service, &mut staged.components)? {
            context.reporter.note(&format!("{}: {note}", service.name));
        }
        let previous = shared.published.newest(settings.package_name(service).as_str(), target)?;
        let inputs = Inputs {
            settings: context.settings,
            workspace: context.workspace,
            member: service,
            target,
            staged,
            version: version.clone(),
            changelog: changelog.clone(),
            time: *time,
        };
        let package = package::assemble_asking::<ecosystem::Error>(inputs, previous.as_ref(), || {
            let (help, notes) = help.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            notes.iter().for_each(|note| context.reporter.note(note));
            Ok(help)
        })?;
        Ok((package, previous))
    })
    .map_err(failed)?;
    for note in &package.notes {
        context.reporter.note(&format!("{} for {target}: {note}", package.name));
    }
    if let Some(previous) = &previous {
        package::previous::check(&package, previous).map_err(|error| failed(error.into()))?;
    }
    let debug = package::debug_symbols(&package, &debug).map_err(|error| failed(error.into()))?;
    let write = |package: &Package| {
        activity.stage("checking");
        let paths = claims::of(package, &context.settings.project.org, &service.name);
        let claimed = shared.claims.add(package.name.as_str(), &target.to_string(), &paths);
        claimed.map_err(|error| failed(error.into()))?;
        judge(context, service, package)?;
        activity.stage("waiting");
        let permit = shared.packing.admit(format::memory_of(package, shared.effort));
        activity.stage("packing");
        let written = format::write(package, out, &shared.write_options());
        drop(permit);
        let written = written.map_err(|error| failed(error.into()))?;
        let claims = (package.name.to_string(), paths.iter().map(ToString::to_string).collect());
        Ok((artefact(package, written, isolation.clone()), claims))
    };
    [Some(&package), debug.as_ref()].into_iter().flatten().map(write).collect()
}

/// What the list says of a package that was written.
fn artefact(package: &Package, written: Written, isolation: Vec<String>) -> Artefact {
    let target = &package.target;
    let format = target.format();
    let (name, version, nothing_in_particular) = match format {
        Format::Deb => ("deb", package.version.debian(), "all"),
        Format::Rpm => ("rpm", package.version.rpm(), "noarch"),
    };
    Artefact {
        file: written.file,
        format: name.to_owned(),
        package: package.name.to_string(),
        version,
        architecture: package.architecture.map_or(nothing_in_particular, |machine| machine.name(format)).to_owned(),
        target: target.to_string(),
        suite: target.distribution.suite.clone(),
        size: written.size,
        sha256: written.sha256,
        isolation,
    }
}

/// Says no to a package that `packhouse check` would refuse, with all findings at once; tells warnings.
fn judge(context: Context<'_>, service: &Member, package: &Package) -> Result<(), Error> {
    let target = &package.target;
    let places = [context.workspace.root.as_path(), context.cache.root()];
    let places = places.map(|place| place.to_string_lossy().into_owned());
    let settings = context.settings.service_for(&service.name, target.format());
    let mut findings = check::check(&Subject::of_package(package, &places)?, &settings.check.allows());
    // What another tool's table says is done, and worth a warning at most: that tool would not have looked.
    let refuses = |finding: &check::Finding| finding.severity == Severity::Error && settings.dialect.is_none();
    let others = findings.split_off(findings.partition_point(refuses));
    // Of what nobody has to mend, one of a kind is enough.
    let is_same = |one: &check::Finding, other: &check::Finding| {
        settings.dialect.is_some() && one.code == other.code && one.path == other.path
    };
    for same in others.chunk_by(is_same) {
        let Some((finding, rest)) = same.split_first() else { continue };
        let more = match rest.len() {
            0 => String::new(),
            count => format!(" (and {count} more of its kind, which `packhouse check` lists)"),
        };
        context.reporter.note(&format!("{} for {target}: {finding}{more}", package.name));
    }
    if findings.is_empty() {
        return Ok(());
    }
    let error = Box::new(check::Refused { findings });
    Err(Error::Step { service: service.name.to_string(), target: target.to_string(), error })
}

impl Artefacts {
    /// Reads the list at `path` and makes sure that every file on it is there with its digest. Gives each with its path.
    pub fn read(path: &Path) -> Result<Vec<(PathBuf, Artefact)>, Error> {
        let invalid = |reason: String| Error::List { path: path.to_path_buf(), reason };
        let list: Self = serde_json::from_slice(&fs_err::read(path)?).map_err(|error| invalid(error.to_string()))?;
        if list.schema_version != 1 {
            return Err(invalid(format!("schema_version {} is not known to this packhouse", list.schema_version)));
        }
        let directory = path.parent().unwrap_or(Path::new(""));
        let mut files = Vec::new();
        for artefact in list.artefacts {
            if artefact.file.components().count() != 1 || artefact.file.is_absolute() {
                return Err(invalid(format!("`{}` is not a plain file name", artefact.file.display())));
            }
            let file = directory.join(&artefact.file);
            let (sha256, _) = Sha256::of_reader(&mut fs_err::File::open(&file)?)?;
            if sha256 != artefact.sha256 {
                return Err(invalid(format!("`{}` has changed since it was built", artefact.file.display())));
            }
            files.push((file, artefact));
        }
        Ok(files)
    }

    fn write(&self, directory: &Path) -> Result<(), Error> {
        let mut file = format::unfinished(directory)?;
        let mut text = serde_json::to_vec_pretty(self).map_err(std::io::Error::other)?;
        text.push(b'\n');
        file.write_all(&text)?;
        file.as_file().sync_all()?;
        // Temporary files are made for their owner alone; results are for everyone.
        file.as_file().set_permissions(PermissionsExt::from_mode(0o644))?;
        file.persist(directory.join(ARTEFACTS_FILE)).map_err(|error| error.error)?;
        Ok(())
    }
}
