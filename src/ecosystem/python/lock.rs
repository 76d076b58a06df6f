//! Locking: from the manifests of a service and its libraries to `pylock.packhouse.toml` and its lock of what builds.
//!
//! In order: read the manifests; see whether the lock is up to date (no network, no resolver); resolve once for all
//! targets, or take the lock that the repository has; choose each target's files; the same for what builds; write both
//! locks, the one that says "up to date" last. An interrupted run leaves the old locks or a lock that is seen to be stale.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::config::PythonSettings;
use crate::ecosystem::{Context, Error, Outcome, Upgrade};
use crate::fetch::Client;
use crate::name::normalize;
use crate::report::Silent;
use crate::workspace::Member;

use super::build_requirements as build;
use super::closure::{Closure, location};
use super::existing::{Existing, Question, hashed_requirements};
use super::indexes::{Index, Indexes, Surroundings, names_in};
use super::inputs::Inputs;
use super::interpreter::interpreter;
use super::lock_error::LockError;
use super::project::RequirementLine;
use super::pylock::{BUILD_LOCK_FILE, LOCK_FILE, LockFacts, LockedPackage, PyLock, Tools};
use super::requirements::{Names, Options};
use super::resolve::{Request, ResolveError, resolve};
use super::select::{Policy, Sites, select};
use super::shim::{Origin, Shim, fitted};
use super::tags::PythonEnvironment;
use super::uv::Uv;
use super::uv_lock::{Place, Reached};
use super::vendor_txt::{self, VendorFile};
use super::vendored::{self, Vendored};

/// The locks of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locks {
    /// What is installed.
    pub runtime: PyLock,
    /// What builds; `None` when nothing has to be built from source.
    pub build: Option<PyLock>,
}

pub(super) fn lock(context: Context<'_>, service: &Member, upgrade: &Upgrade) -> Result<Outcome, Error> {
    lock_service(context, service, upgrade).map_err(|error| Box::new(error) as Error)
}

/// The locks of `service`; an error when there are none or when they are out of date.
pub fn load(context: Context<'_>, service: &Member) -> Result<Locks, LockError> {
    // It looks at targets that are not asked for as well: what is to be said of one is said when it is staged.
    let state = State::read(Context { reporter: &Silent, ..context }, service)?;
    match state.locks()? {
        None => Err(LockError::Missing { service: service.name.to_string() }),
        Some(locks) if state.describes(&locks) => Ok(locks),
        Some(_) => Err(LockError::Stale { service: service.name.to_string(), policy: context.locked }),
    }
}

/// The names of everything in the locks of `service`; `None` when there are none.
pub(super) fn names(context: Context<'_>, service: &Member) -> Result<Option<Vec<String>>, LockError> {
    let directory = context.workspace.directory(service);
    let Some(runtime) = PyLock::read(&directory.join(LOCK_FILE))? else { return Ok(None) };
    let build = PyLock::read(&directory.join(BUILD_LOCK_FILE))?;
    let packages = runtime.packages.into_iter().chain(build.into_iter().flat_map(|build| build.packages));
    Ok(Some(packages.map(|package| package.name).collect()))
}

/// The file of another tool that the versions of `service` are taken from; `None` when packhouse resolves them.
pub fn versions_from(context: Context<'_>, service: &Member) -> Result<Option<PathBuf>, LockError> {
    let directory = context.workspace.directory(service);
    if let Some(existing) = Existing::find(&context.workspace.root, &directory, &service.ecosystem_name)? {
        return Ok(Some(existing.path));
    }
    let project = super::project::read(&directory)?;
    Ok(project.and_then(|project| hashed_requirements(&project).map(|line| line.file.clone())))
}

/// Whether the locks of `service` are there and up to date. Uses neither the network nor a resolver.
pub fn is_fresh(context: Context<'_>, service: &Member) -> Result<bool, LockError> {
    let state = State::read(context, service)?;
    Ok(state.locks()?.is_some_and(|locks| state.describes(&locks)))
}

fn lock_service(context: Context<'_>, service: &Member, upgrade: &Upgrade) -> Result<Outcome, LockError> {
    let mut state = State::read(context, service)?;
    let name = || service.name.to_string();
    // A lock that cannot be read is made anew, unless it must not change.
    let old = match state.locks() {
        Ok(old) => old,
        Err(error) if context.locked => return Err(error),
        Err(_) => None,
    };
    if *upgrade == Upgrade::Nothing && old.as_ref().is_some_and(|locks| state.describes(locks)) {
        return Ok(Outcome::Fresh);
    }
    if context.locked {
        return Err(LockError::WouldChange { service: name() });
    }
    if context.offline {
        return Err(LockError::Offline { service: name() });
    }
    context.reporter.step("Locking", service.name.as_str());
    let locks = state.make(old.as_ref(), upgrade)?;
    let changed = state.write(&locks)?;
    Ok(if changed { Outcome::Changed } else { Outcome::Fresh })
}

/// Everything that the lock of a service depends on, read without the network.
struct State<'a> {
    context: Context<'a>,
    service: &'a Member,
    directory: PathBuf,
    closure: Closure<'a>,
    settings: PythonSettings,
    sites: Sites,
    indexes: Indexes,
    vendor: VendorFile,
    /// The lines of `vendor.txt` that are one more requirement of the service.
    vendor_lines: Vec<RequirementLine>,
    existing: Option<Existing>,
    inputs: String,
}

impl<'a> State<'a> {
    fn read(context: Context<'a>, service: &'a Member) -> Result<Self, LockError> {
        let directory = context.workspace.directory(service);
        let closure = Closure::read(context, service)?;
        let settings = context.settings.service(&service.name).python;
        if let Some(local) = closure.service() {
            let known: BTreeSet<String> =
                local.project.optional_dependencies.keys().map(|extra| normalize(extra)).collect();
            if let Some(extra) = settings.extras.iter().find(|extra| !known.contains(&normalize(extra))) {
                let (service, extra) = (service.name.to_string(), extra.clone());
                return Err(LockError::NoExtra {
                    service,
                    extra,
                    known: known.into_iter().collect::<Vec<_>>().join(", "),
                });
            }
        }
        let mut sites = Sites::default();
        if let Some(local) = closure.service() {
            for target in &context.settings.project.targets {
                let python = interpreter(context, service, &local.project, target)?;
                sites.add(target.clone(), PythonEnvironment::of(target, python));
            }
        }
        let variable = |name: &str| std::env::var(name).ok();
        let around = Surroundings { variable: &variable, system: Path::new("/etc") };
        let indexes = Indexes::collect(&context.settings.indexes, &closure.projects(), &around)?;
        let path = directory.join("vendor.txt");
        let vendor = if path.is_file() {
            vendor_txt::read(&path).map_err(|error| LockError::Other(Box::new(error)))?
        } else {
            VendorFile::default()
        };
        let vendor_lines = vendored::resolver_lines(&vendor)?
            .into_iter()
            .map(|line| RequirementLine {
                requirement: line.requirement.clone(),
                sha256: line.sha256.clone(),
                file: line.file.clone(),
                line: line.line,
            })
            .collect();
        let existing = Existing::find(&context.workspace.root, &directory, &service.ecosystem_name)?;
        let inputs = Inputs {
            root: &context.workspace.root,
            closure: &closure,
            sites: &sites,
            settings: &settings,
            indexes: &indexes,
            vendor: &vendor,
            existing: existing.as_ref(),
        }
        .digest();
        Ok(Self {
            context,
            service,
            directory,
            closure,
            settings,
            sites,
            indexes,
            vendor,
            vendor_lines,
            existing,
            inputs,
        })
    }

    fn locks(&self) -> Result<Option<Locks>, LockError> {
        let Some(runtime) = PyLock::read(&self.directory.join(LOCK_FILE))? else { return Ok(None) };
        Ok(Some(Locks { runtime, build: PyLock::read(&self.directory.join(BUILD_LOCK_FILE))? }))
    }

    /// Whether the locks were made from what is there now. The lock of what builds is there exactly when the other says
    /// so, and was made in the same run.
    fn describes(&self, locks: &Locks) -> bool {
        let facts = &locks.runtime.tool.packhouse;
        facts.inputs == self.inputs
            && facts.build == locks.build.is_some()
            && locks.build.as_ref().is_none_or(|build| build.tool.packhouse.inputs == self.inputs)
    }

    fn make(&mut self, old: Option<&Locks>, upgrade: &Upgrade) -> Result<Locks, LockError> {
        let client = self.client()?;
        self.indexes.ask_keyring(&client).map_err(|error| LockError::Other(Box::new(error)))?;
        let uv = self.uv(&client)?;
        let known = |lock: Option<&PyLock>| lock.map(|lock| lock.packages.clone()).unwrap_or_default();
        let old_runtime = known(old.map(|locks| &locks.runtime));
        let old_build = known(old.and_then(|locks| locks.build.as_ref()));

        let vendored = vendored::lock(
            self.context,
            &client,
            &self.vendor,
            &self.closure,
            &self.sites,
            &self.indexes,
            &old_runtime,
        )?;
        let shims = self.stand_ins(&vendored)?;
        let reached = match &self.existing {
            Some(existing) => {
                self.tell_of(existing, upgrade);
                let mut further = self.vendor_lines.clone();
                further.extend(vendored.lines.iter().cloned());
                let question = Question {
                    root: &self.context.workspace.root,
                    closure: &self.closure,
                    extras: &self.settings.extras,
                    environments: &self.sites.environments,
                    indexes: &self.indexes,
                    further: &further,
                    elsewhere: &vendored.packages.iter().map(|package| package.name.clone()).collect(),
                };
                existing.resolution(&question, &client)?
            }
            None => self.resolve(&client, &uv, &shims, &vendored, kept(&old_runtime, upgrade))?,
        };
        self.check(&reached, &shims)?;
        let mut packages = select(self.context, &client, &reached, &self.sites, &self.policy(false)?, &old_runtime)?;
        self.add_vendored(&mut packages, &reached, vendored.packages);

        let build = self.builds(&client, &uv, &packages, kept(&old_build, upgrade), &old_build)?;
        let mut runtime = self.lock_file(packages);
        runtime.tool.packhouse.local = self.closure.directories();
        runtime.tool.packhouse.build = build.is_some();
        Ok(Locks { runtime, build })
    }

    /// Says where the versions come from, and from where not.
    fn tell_of(&self, existing: &Existing, upgrade: &Upgrade) {
        let Context { reporter, workspace, .. } = self.context;
        let shown = |path: &Path| path.strip_prefix(&workspace.root).unwrap_or(path).display().to_string();
        let (service, lock) = (&self.service.name, shown(&existing.path));
        reporter.step("Taking", &format!("the versions of {service} from {lock}"));
        if !existing.passed_over.is_empty() {
            let others: Vec<String> = existing.passed_over.iter().map(|path| shown(path)).collect();
            let others = others.join(", ");
            reporter.note(&format!(
                "{service}: the versions are those of {lock}; {others}, beside it, is not asked: remove what is not kept up"
            ));
        }
        if *upgrade != Upgrade::Nothing {
            reporter.note(&format!("{service}: the versions stand in {lock}; upgrade them there"));
        }
    }

    /// The resolution of what is installed.
    fn resolve(
        &self,
        client: &Client,
        uv: &Uv,
        shims: &BTreeMap<String, Shim>,
        vendored: &Vendored,
        preferences: Vec<LockedPackage>,
    ) -> Result<Vec<Reached>, LockError> {
        let extras = &self.settings.extras;
        let extras = if extras.is_empty() { String::new() } else { format!("[{}]", extras.join(",")) };
        let mut requirements = vec![format!("{}{extras}", self.service.ecosystem_name)];
        requirements.extend(vendored.requirements.iter().cloned());
        requirements.extend(self.vendor_lines.iter().map(|line| line.requirement.clone()));
        let lines = vendored::resolver_lines(&self.vendor)?;
        let mut constraints = self.closure.constraints();
        constraints.extend(lines.iter().flat_map(|line| &line.constraints).map(|line| line.requirement.clone()));
        let request = Request {
            requirements,
            constraints,
            shims,
            indexes: &self.indexes,
            environments: &self.sites.environments,
            preferences,
            prereleases: self.options().any(|options| options.pre.is_some()) || lines.iter().any(|line| line.pre),
        };
        self.ask(client, uv, &request)
    }

    fn ask(&self, client: &Client, uv: &Uv, request: &Request<'_>) -> Result<Vec<Reached>, LockError> {
        let read = |name: &str, file: &_| Ok(build::facts(self.context, client, name, file)?.metadata);
        resolve(self.context, uv, request, &read).map_err(|error| self.explained(error))
    }

    /// What builds: the repository's own packages and what `packages` has only as source.
    fn builds(
        &self,
        client: &Client,
        uv: &Uv,
        packages: &[LockedPackage],
        preferences: Vec<LockedPackage>,
        known: &[LockedPackage],
    ) -> Result<Option<PyLock>, LockError> {
        let mut requirements = build::of_locals(&self.closure, &self.settings);
        requirements.extend(build::of_sources(self.context, client, packages, &self.settings)?);
        if requirements.is_empty() {
            return Ok(None);
        }
        let shims = self.closure.shims();
        for _ in 0..build::DEPTH {
            let request = Request {
                requirements: requirements.iter().map(|text| fitted(text, &shims)).collect(),
                constraints: Vec::new(),
                shims: &shims,
                indexes: &self.indexes,
                environments: &self.sites.environments,
                preferences: preferences.clone(),
                prereleases: false,
            };
            let reached = self.ask(client, uv, &request)?;
            if let Some(own) = reached.iter().find(|package| shims.contains_key(&package.name)) {
                return Err(LockError::Refused {
                    service: self.service.name.to_string(),
                    reason: format!("{} is needed to build, and is a package of this repository", own.name),
                    hint: "a package of the repository cannot be a build requirement: take it out of build-system.requires"
                        .to_owned(),
                });
            }
            let locked = select(self.context, client, &reached, &self.sites, &self.policy(true)?, known)?;
            let before = requirements.len();
            requirements.extend(build::of_sources(self.context, client, &locked, &self.settings)?);
            if requirements.len() == before {
                return Ok(Some(self.lock_file(locked)));
            }
        }
        Err(LockError::Refused {
            service: self.service.name.to_string(),
            reason: "what builds the build requirements has no end".to_owned(),
            hint: "give an index that has wheels of the build requirements".to_owned(),
        })
    }

    /// What the resolution must not be, whoever made it: one of our names from an index, or one that is pinned from
    /// another index than its own.
    fn check(&self, reached: &[Reached], shims: &BTreeMap<String, Shim>) -> Result<(), LockError> {
        let refused = |reason: String, hint: String| {
            Err(LockError::Refused { service: self.service.name.to_string(), reason, hint })
        };
        let mut seen: BTreeSet<(usize, &str)> = BTreeSet::new();
        for package in reached {
            let by = package.required_by.iter().cloned().collect::<Vec<_>>().join(", ");
            if self.closure.is_foreign_member(&package.name) {
                return refused(
                    format!("{by} requires {}, which is a package of this repository", package.name),
                    format!("name {} in the requirements of the service, so that it is part of it", package.name),
                );
            }
            if let (Place::Directory(path), None) = (&package.place, shims.get(&package.name)) {
                return refused(
                    format!(
                        "{by} requires {}, a directory ({}) that is no package of this repository",
                        package.name,
                        path.display()
                    ),
                    "make it a package of the repository, or require it from an index".to_owned(),
                );
            }
            let ours = shims.get(&package.name).is_some_and(|shim| shim.origin == Origin::Member);
            if let Place::Index(found) = &package.place {
                if ours {
                    return refused(
                        format!("{} is a package of this repository, and comes from {found}", package.name),
                        "make the lock that says so again, with the directory as its source".to_owned(),
                    );
                }
                let known = self.indexes.by_url(found);
                let pin = self.indexes.pin_of(&package.name)?;
                let wrong = match pin {
                    Some(pin) => pin.url != *found,
                    None => known.is_some_and(|index: &Index| !index.pins.is_empty()),
                };
                if wrong {
                    let owner = pin.map_or("another index", |pin| pin.url.as_str());
                    return refused(
                        format!("{} belongs to {owner}, and comes from {found}", package.name),
                        "check `packages` of [[index]]".to_owned(),
                    );
                }
            }
            for &position in &package.environments {
                if !seen.insert((position, &package.name)) {
                    return refused(
                        format!("two versions of {} for one target", package.name),
                        "loosen the requirements that name it".to_owned(),
                    );
                }
            }
        }
        match self.closure.require_hashes() {
            None => Ok(()),
            Some((file, line)) => {
                let hashed = self.digests();
                let bare = reached.iter().find(|package| {
                    !matches!(package.place, Place::Directory(_)) && !hashed.contains_key(&package.name)
                });
                match bare {
                    None => Ok(()),
                    Some(package) => {
                        Err(LockError::NoDigest { package: package.name.clone(), location: location(file, line) })
                    }
                }
            }
        }
    }

    /// Stand-ins for the repository's packages and for what `vendor.txt` names.
    fn stand_ins(&self, vendored: &Vendored) -> Result<BTreeMap<String, Shim>, LockError> {
        let mut shims = self.closure.shims();
        for shim in &vendored.shims {
            if shims.insert(shim.name.clone(), shim.clone()).is_some() {
                return Err(LockError::Refused {
                    service: self.service.name.to_string(),
                    reason: format!("vendor.txt or a URL names {}, which is a package of this repository", shim.name),
                    hint: "take the line out: the repository's own package is installed anyway".to_owned(),
                });
            }
        }
        Ok(shims)
    }

    /// Puts the files of `vendor.txt` in the place of their stand-ins.
    fn add_vendored(&self, packages: &mut Vec<LockedPackage>, reached: &[Reached], vendored: Vec<LockedPackage>) {
        let names: BTreeSet<String> = vendored.iter().map(|package| package.name.clone()).collect();
        packages.retain(|package| !names.contains(&package.name));
        for mut package in vendored {
            let stand_in = reached.iter().find(|found| found.name == package.name);
            if let (None, Some(found)) = (&package.marker, stand_in) {
                package.marker = self.sites.marker(&found.environments);
            }
            packages.push(package);
        }
    }

    fn policy(&self, for_builds: bool) -> Result<Policy<'_>, LockError> {
        let own = self.settings.no_binary.iter().map(|name| normalize(name)).collect();
        let mut no_binary = vec![Names::These(own)];
        let mut only_binary = Vec::new();
        if !for_builds {
            no_binary.extend(self.options().map(|options| options.binary.no_binary.clone()));
            only_binary.extend(self.options().map(|options| options.binary.only_binary.clone()));
            for line in vendored::resolver_lines(&self.vendor)? {
                no_binary.push(of_line(&line.binary.no_binary, &line.requirement));
                only_binary.push(of_line(&line.binary.only_binary, &line.requirement));
            }
        }
        let digests = if for_builds { BTreeMap::new() } else { self.digests() };
        Ok(Policy { no_binary, only_binary, digests, for_builds })
    }

    /// Requirement lines with digests, by normalised name.
    fn digests(&self) -> BTreeMap<String, Vec<&RequirementLine>> {
        let mut digests: BTreeMap<String, Vec<&RequirementLine>> = BTreeMap::new();
        for line in self.closure.lines().chain(&self.vendor_lines).filter(|line| !line.sha256.is_empty()) {
            if let Some(name) = super::shim::name_of(&line.requirement) {
                digests.entry(name).or_default().push(line);
            }
        }
        digests
    }

    fn options(&self) -> impl Iterator<Item = &Options> {
        self.closure.locals.iter().map(|local| &local.project.options)
    }

    fn lock_file(&self, mut packages: Vec<LockedPackage>) -> PyLock {
        packages.sort_by(|left, right| (&left.name, &left.version).cmp(&(&right.name, &right.version)));
        let lowest = self.sites.environments.iter().map(|environment| environment.python).min();
        PyLock {
            lock_version: "1.0".to_owned(),
            environments: self.sites.environments.iter().map(PythonEnvironment::marker).collect(),
            requires_python: lowest.map(|python| format!(">={python}")),
            created_by: "packhouse".to_owned(),
            packages,
            tool: Tools {
                packhouse: LockFacts {
                    inputs: self.inputs.clone(),
                    targets: self.sites.sites.iter().map(|site| site.target.to_string()).collect(),
                    ..LockFacts::default()
                },
            },
        }
    }

    /// Writes both locks. Returns whether something changed.
    fn write(&self, locks: &Locks) -> Result<bool, LockError> {
        let path = self.directory.join(BUILD_LOCK_FILE);
        let mut changed = match &locks.build {
            Some(build) => build.write(&path, &self.context.workspace.root)?,
            None => match fs_err::remove_file(&path) {
                Ok(()) => true,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
                Err(error) => return Err(error.into()),
            },
        };
        changed |= locks.runtime.write(&self.directory.join(LOCK_FILE), &self.context.workspace.root)?;
        Ok(changed)
    }

    fn client(&self) -> Result<Client, LockError> {
        self.indexes.client(self.context.offline).map_err(|error| LockError::Other(Box::new(error)))
    }

    fn uv(&self, client: &Client) -> Result<Uv, LockError> {
        super::provision::uv(client, &self.indexes, self.context.cache, self.context.reporter)
            .map_err(|error| LockError::Other(Box::new(error)))
    }

    /// An error of the resolution, with the requirement that it speaks of.
    fn explained(&self, error: ResolveError) -> LockError {
        let service = self.service.name.to_string();
        match error {
            ResolveError::Uv(error) => error.into(),
            ResolveError::Index(error) => error.into(),
            ResolveError::Io(error) => error.into(),
            ResolveError::Source(error) => error,
            ResolveError::Unresolvable(explanation) => {
                let line = self.culprit(&explanation);
                let location = line.and_then(|line| location(&line.file, line.line));
                LockError::Unresolvable { service, explanation, location }
            }
            other => LockError::Refused {
                service,
                reason: other.to_string(),
                hint: "check `packages` of [[index]] and the requirements".to_owned(),
            },
        }
    }

    /// The requirement that an explanation names: the last one it speaks of is where it ends, at what was asked for.
    fn culprit(&self, explanation: &str) -> Option<&RequirementLine> {
        let names = names_in(explanation);
        let ours: BTreeSet<&String> = self.closure.locals.iter().map(|local| &local.member.ecosystem_name).collect();
        let lines = self.closure.lines().chain(&self.vendor_lines).filter(|line| {
            super::shim::name_of(&line.requirement).is_some_and(|name| names.contains(&name) && !ours.contains(&name))
        });
        lines.min_by_key(|line| {
            let name = super::shim::name_of(&line.requirement).unwrap_or_default();
            explanation.find(&name).unwrap_or(usize::MAX)
        })
    }
}

/// What a line of `vendor.txt` says of wheels, which it says of its own requirement only.
fn of_line(names: &Names, requirement: &str) -> Names {
    match (names, super::shim::name_of(requirement)) {
        (Names::All, Some(name)) => Names::These(vec![name]),
        (names, _) => names.clone(),
    }
}

/// The earlier versions that are to be kept.
fn kept(old: &[LockedPackage], upgrade: &Upgrade) -> Vec<LockedPackage> {
    match upgrade {
        Upgrade::All => Vec::new(),
        Upgrade::Nothing => old.to_vec(),
        Upgrade::Names(names) => {
            let names: BTreeSet<String> = names.iter().map(|name| normalize(name)).collect();
            old.iter().filter(|package| !names.contains(&package.name)).cloned().collect()
        }
    }
}
