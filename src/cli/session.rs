//! The global arguments, and what they are turned into: settings, workspace, cache, reporter.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::reporter::{Human, Json, Verbosity};
use super::{Failure, Output};
use crate::cache::{Cache, InvalidLimit, Refused};
use crate::config::{self, Assumed, DialectOptions, Person, RepositorySettings, Settings, Told};
use crate::diagnostic::{Diagnose, ExitCode};
use crate::ecosystem::{self, Context};
use crate::repo::trust::source;
use crate::report::Reporter;
use crate::sandbox;
use crate::survey::Found;
use crate::variables;
use crate::workspace::{self, Detector, Member, Workspace};

/// Under which help lists the arguments of every subcommand, so that a subcommand's own come first.
const GLOBAL: &str = "Global options";

/// Arguments of every subcommand.
#[derive(Debug, Args)]
pub(super) struct Globals {
    /// The configuration file (default: `packhouse.toml` here or in a directory above, up to the repository's root).
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "FILE")]
    manifest_path: Option<PathBuf>,
    /// Work as if started in this directory.
    #[arg(short = 'C', global = true, help_heading = GLOBAL, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// The organisation's short name: packages install below /usr/lib/ORG (default: what the configuration says, else a
    /// guess from the services' names).
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "ORG")]
    org: Option<String>,
    /// Who answers for the packages (default: what the configuration says, else the manifest's author, else git's user).
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "NAME <MAIL>")]
    maintainer: Option<String>,
    /// Say nothing but results and errors.
    #[arg(short, long, global = true, help_heading = GLOBAL, conflicts_with = "verbose")]
    quiet: bool,
    /// Say more.
    #[arg(short, long, global = true, help_heading = GLOBAL)]
    verbose: bool,
    /// When to use colours.
    #[arg(long, global = true, help_heading = GLOBAL, value_enum, default_value_t, value_name = "WHEN")]
    color: Color,
    /// How to write results and errors; `sarif` is for `check` alone.
    #[arg(long, global = true, help_heading = GLOBAL, value_enum, default_value_t, value_name = "FORMAT")]
    format: OutputFormat,
    /// Fail when a lock would have to change.
    #[arg(long, global = true, help_heading = GLOBAL)]
    locked: bool,
    /// Do not use the network.
    #[arg(long, global = true, help_heading = GLOBAL)]
    offline: bool,
    /// --locked and --offline.
    #[arg(long, global = true, help_heading = GLOBAL)]
    frozen: bool,
    /// How many things to do at once (default: one per processor).
    #[arg(short, long, global = true, help_heading = GLOBAL, value_name = "N")]
    jobs: Option<std::num::NonZeroUsize>,
}

/// What `--format` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum OutputFormat {
    /// Text.
    #[default]
    Human,
    /// One JSON document per line.
    Json,
    /// Findings in the Static Analysis Results Interchange Format, 2.1.0.
    Sarif,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

/// The global arguments, resolved.
pub(super) struct Session {
    globals: Globals,
    cache: Cache,
    reporter: Box<dyn Reporter>,
    color: anstream::ColorChoice,
}

/// An opened repository.
pub(super) struct Project {
    pub(super) settings: Settings,
    pub(super) workspace: Workspace,
    /// What the user was told of it: an answer without opening it again says the same.
    pub(super) notes: Vec<String>,
}

impl Session {
    /// With the cache that was asked for, or one instead of it when `may_stand_in` and this user may not use that one. The
    /// other part of the answer says what of the environment is wrong.
    pub(super) fn new(globals: Globals, may_stand_in: bool) -> (Self, Result<(), InvalidLimit>) {
        let verbosity = match (globals.quiet, globals.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        };
        let color = match globals.color {
            // anstream honours NO_COLOR, CLICOLOR, CLICOLOR_FORCE and TERM.
            Color::Auto => anstream::AutoStream::choice(&std::io::stderr()),
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        };
        let reporter: Box<dyn Reporter> = match globals.format {
            OutputFormat::Human | OutputFormat::Sarif => Box::new(Human::new(verbosity, color)),
            OutputFormat::Json => Box::new(Json::new(verbosity)),
        };
        let (mut cache, valid) = Cache::of_user();
        if may_stand_in {
            let (permitted, refused) = cache.permitted();
            if let Some(Refused { root, path }) = refused {
                let (root, path, instead) = (root.display(), path.display(), permitted.root().display());
                reporter.note(&format!(
                    "no permission to read and write {path}: {instead} is used instead of the cache {root}; \
                     `sudo chown -R \"$(id -un)\" '{path}'` makes it yours, PACKHOUSE_CACHE_DIR names another"
                ));
            }
            cache = permitted;
        }
        (Self { globals, cache, reporter, color }, valid)
    }

    /// How progress and errors are written.
    pub(super) fn output(&self) -> Output {
        match self.globals.format {
            OutputFormat::Human | OutputFormat::Sarif => Output::Human,
            OutputFormat::Json => Output::Json,
        }
    }

    /// Whether results are wanted as SARIF.
    pub(super) fn sarif(&self) -> bool {
        self.globals.format == OutputFormat::Sarif
    }

    pub(super) fn color(&self) -> anstream::ColorChoice {
        self.color
    }

    pub(super) fn reporter(&self) -> &dyn Reporter {
        self.reporter.as_ref()
    }

    /// The directory to start from: `-C`, else the current one.
    pub(super) fn directory(&self) -> Result<PathBuf, Failure> {
        let current = std::env::current_dir().map_err(|error| failure(format!("no current directory: {error}")))?;
        let directory =
            self.globals.directory.as_ref().map_or_else(|| current.clone(), |directory| current.join(directory));
        if directory.is_dir() {
            Ok(directory)
        } else {
            Err(usage(format!("`{}` is no directory", directory.display())))
        }
    }

    /// A path as the user gave it, relative to the starting directory.
    pub(super) fn path(&self, path: &Path) -> Result<PathBuf, Failure> {
        Ok(self.directory()?.join(path))
    }

    /// The configuration alone.
    pub(super) fn settings(&self) -> Result<Settings, Failure> {
        let (_, settings) = self.load()?;
        Ok(settings?)
    }

    /// The configuration, and where it was looked for. Cargo's users name a crate's manifest, which need not hold one.
    fn load(&self) -> Result<(PathBuf, Result<Settings, config::Error>), Failure> {
        let start = self.directory()?;
        let (start, settings) = match config::load(&start, self.manifest()?.as_deref()) {
            Err(config::Error::NoTable { path, .. }) if path.file_name().is_some_and(|name| name == "Cargo.toml") => {
                let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
                (directory.to_path_buf(), config::load(directory, None))
            }
            settings => (start, settings),
        };
        let replace = |mut settings: Settings| self.told().replace(&mut settings).map(|()| settings);
        Ok((start, settings.and_then(replace)))
    }

    /// The configuration, or what is assumed where there is none, and what was found in the repository.
    pub(super) fn project(&self) -> Result<Project, Failure> {
        self.project_with(&DialectOptions::default())
    }

    /// The same, with what the command line says about the tables of other tools.
    pub(super) fn project_with(&self, dialects: &DialectOptions) -> Result<Project, Failure> {
        let (mut settings, workspace, is_assumed) = match self.load()? {
            (start, Err(config::Error::Missing { .. })) => {
                let (settings, workspace) = self.assumed(&start)?;
                (settings, workspace, true)
            }
            (_, settings) => {
                let settings = settings?;
                let workspace = workspace::discover(&settings, &detectors())?;
                (settings, workspace, false)
            }
        };
        let mut dialects = dialects.clone();
        if self.globals.maintainer.is_some() {
            dialects.overrides.maintainer.get_or_insert_with(|| settings.project.maintainer.clone());
        }
        let notes = config::adopt(&mut settings, &workspace, &dialects)?;
        let mut notes: Vec<String> = notes.iter().map(ToString::to_string).collect();
        if is_assumed {
            notes.extend(workspace.services().filter_map(|service| Found::of(&workspace, service).left_out(service)));
        }
        notes.iter().for_each(|note| self.reporter.note(note));
        Ok(Project { settings, workspace, notes })
    }

    /// A project that nobody has configured.
    fn assumed(&self, start: &Path) -> Result<(Settings, Workspace), Failure> {
        // Where nothing says that this is a project, the whole of a home directory is not searched for one.
        let missing = || config::Error::Missing { start: start.to_path_buf() };
        let root = config::project_root(start)?.ok_or_else(missing)?;
        let workspace = workspace::discover_unconfigured(&root, &detectors())?;
        let Assumed { settings, org, maintainer } =
            config::assume(start, &workspace, &self.told(), &people(&workspace))?;
        self.reporter.step(
            "Assuming",
            &format!(
                "organisation {} ({}), maintainer {} ({}): there is no {}",
                org.value,
                org.reason,
                maintainer.value,
                maintainer.reason,
                config::FILE_NAME
            ),
        );
        Ok((settings, workspace))
    }

    /// What the user says of the project beside any file.
    pub(super) fn told(&self) -> Told {
        let variable = |name| std::env::var(name).ok().filter(|text| !text.is_empty());
        Told {
            org: self.globals.org.clone(),
            maintainer: self.globals.maintainer.clone(),
            default_org: variable(variables::PACKHOUSE_ORG),
            default_maintainer: variable(variables::PACKHOUSE_MAINTAINER),
        }
    }

    /// The configuration's file, when the user named one.
    pub(super) fn manifest(&self) -> Result<Option<PathBuf>, Failure> {
        self.globals.manifest_path.as_deref().map(|path| self.path(path)).transpose()
    }

    /// What the global arguments say of the result.
    pub(super) fn requirements(&self) -> String {
        let Globals { manifest_path, org, maintainer, locked, offline, frozen, .. } = &self.globals;
        format!("{manifest_path:?} {org:?} {maintainer:?} {locked} {offline} {frozen}")
    }

    pub(super) fn cache(&self) -> &Cache {
        &self.cache
    }

    /// What every step of a language works with. What it finds in the cache stays there until the command ends.
    pub(super) fn context<'a>(&'a self, project: &'a Project) -> Context<'a> {
        self.cache.hold();
        hide_keys(&project.settings);
        // The one pool of the process. The second time it is there already.
        drop(rayon::ThreadPoolBuilder::new().num_threads(self.threads()).build_global());
        Context {
            settings: &project.settings,
            workspace: &project.workspace,
            cache: &self.cache,
            reporter: self.reporter(),
            offline: self.globals.offline || self.globals.frozen,
            locked: self.globals.locked || self.globals.frozen,
            threads: self.threads(),
        }
    }

    pub(super) fn threads(&self) -> usize {
        self.globals.jobs.or_else(|| std::thread::available_parallelism().ok()).map_or(1, std::num::NonZeroUsize::get)
    }

    /// Writes a line of result to standard output.
    pub(super) fn print(&self, text: &str) -> Result<(), Failure> {
        let mut stdout = std::io::stdout().lock();
        match writeln!(stdout, "{text}") {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(failure(format!("cannot write to standard output: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// Writes `value` as one line of JSON with its `reason`.
    pub(super) fn print_json(&self, reason: &str, value: &impl Serialize) -> Result<(), Failure> {
        let mut document = serde_json::to_value(value).map_err(|error| failure(error.to_string()))?;
        if let Some(object) = document.as_object_mut() {
            object.insert("reason".to_owned(), reason.into());
            object.insert("schema_version".to_owned(), 1.into());
        }
        self.print(&document.to_string())
    }
}

/// Whatever code a build runs, it does not see what signs: the key's file, the passphrase's, gpg's home.
fn hide_keys(settings: &Settings) {
    let RepositorySettings { key, next_key, .. } = &settings.repository;
    let files = [key, next_key].into_iter().flatten().filter(|key| source::is_file(key));
    files.for_each(|key| sandbox::hide(settings.root.join(key)));
    let of = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let gnupg = of(variables::GNUPGHOME).or_else(|| of(variables::HOME).map(|home| home.join(".gnupg")));
    gnupg.into_iter().chain(of(variables::PACKHOUSE_KEY_PASSPHRASE_FILE)).for_each(sandbox::hide);
}

/// All languages, as discovery wants them.
pub(super) fn detectors() -> Vec<&'static dyn Detector> {
    ecosystem::all().into_iter().map(|ecosystem| ecosystem as &dyn Detector).collect()
}

/// Who stands in the manifest of a member.
pub(super) fn people(workspace: &Workspace) -> impl Fn(&Member) -> Vec<Person> {
    move |member| ecosystem::of(member.ecosystem).people(workspace, member)
}

impl Project {
    /// The services that `names` name, all of them when it is empty.
    pub(super) fn services(&self, names: &[String]) -> Result<Vec<&Member>, Failure> {
        if names.is_empty() {
            let all: Vec<&Member> = self.workspace.services().collect();
            return if all.is_empty() { Err(Box::new(self.no_service())) } else { Ok(all) };
        }
        names.iter().map(|name| self.service(name)).collect()
    }

    fn no_service(&self) -> Problem {
        let hint = match self.workspace.members.first() {
            Some(library) => format!(
                "make one of the libraries a service, for instance `kind = \"service\"` under [services.{}] in \
                 packhouse.toml; `packhouse list` says why each is none",
                library.name
            ),
            None => {
                "a service is a directory with setup.py, setup.cfg, pyproject.toml or Cargo.toml that git does not \
                     ignore; run packhouse in its repository, or check `members` and `exclude` in packhouse.toml"
                    .to_owned()
            }
        };
        Problem {
            message: "no service was found in this repository".to_owned(),
            hint: Some(hint),
            code: ExitCode::Usage,
        }
    }

    /// The service of this name.
    pub(super) fn service(&self, name: &str) -> Result<&Member, Failure> {
        self.workspace.service(name).ok_or_else(|| {
            let known: Vec<&str> = self.workspace.services().map(|service| service.name.as_str()).collect();
            let nearest = known
                .iter()
                .max_by(|left, right| strsim::jaro_winkler(left, name).total_cmp(&strsim::jaro_winkler(right, name)));
            let hint = match nearest {
                Some(nearest) if strsim::jaro_winkler(nearest, name) > 0.8 => format!("did you mean `{nearest}`?"),
                _ => format!("the services are: {}", known.join(", ")),
            };
            Box::new(Problem { message: format!("no service `{name}`"), hint: Some(hint), code: ExitCode::Usage })
                as Failure
        })
    }
}

/// A failure of the front itself: a wrong argument, a closed stream.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct Problem {
    pub(super) message: String,
    pub(super) hint: Option<String>,
    pub(super) code: ExitCode,
}

impl Diagnose for Problem {
    fn exit_code(&self) -> ExitCode {
        self.code
    }

    fn hints(&self) -> Vec<String> {
        self.hint.iter().cloned().collect()
    }
}

/// The command line is wrong (exit 2).
pub(super) fn usage(message: String) -> Failure {
    Box::new(Problem { message, hint: None, code: ExitCode::Usage })
}

/// The work failed (exit 1).
pub(super) fn failure(message: String) -> Failure {
    Box::new(Problem { message, hint: None, code: ExitCode::Failed })
}
