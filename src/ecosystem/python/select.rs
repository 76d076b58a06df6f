//! From what the resolver found to what is locked: for each target the one file that it takes, and no others.
//!
//! The resolver knows neither a target's glibc nor the digests that a requirements file allows; both are judged here. The
//! marker of a package says for which of the project's interpreters it is wanted, or is left out when it is for all.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use crate::digest::Sha256;
use crate::ecosystem::Context;
use crate::fetch::{Client, Download, download};
use crate::target::Target;

use super::lock_error::LockError;
use super::project::RequirementLine;
use super::pylock::{Hashes, LockedFile, LockedPackage};
use super::requirements::Names;
use super::tags::{PythonEnvironment, best_of};
use super::uv_lock::{Artefact, Place, Reached};

/// A target, as Python sees it.
#[derive(Debug, Clone)]
pub(super) struct Site {
    /// The target.
    pub target: Target,
    /// Its interpreter, glibc and processor.
    pub environment: PythonEnvironment,
    /// Which of the resolution's environments it is.
    pub position: usize,
}

/// The targets of a project, and the environments that tell them apart for a resolver: those of one interpreter and one
/// processor are one.
#[derive(Debug, Clone, Default)]
pub(super) struct Sites {
    /// One for each target.
    pub sites: Vec<Site>,
    /// Each interpreter and processor once.
    pub environments: Vec<PythonEnvironment>,
}

impl Sites {
    /// Adds a target.
    pub(super) fn add(&mut self, target: Target, environment: PythonEnvironment) {
        let same = |other: &PythonEnvironment| {
            other.python == environment.python && other.architecture == environment.architecture
        };
        let position = self.environments.iter().position(same).unwrap_or_else(|| {
            self.environments.push(environment);
            self.environments.len() - 1
        });
        self.sites.push(Site { target, environment, position });
    }

    /// The marker of what these environments need; `None` when they are all.
    pub(super) fn marker(&self, positions: &BTreeSet<usize>) -> Option<String> {
        if positions.len() == self.environments.len() {
            return None;
        }
        let markers: Vec<String> =
            positions.iter().filter_map(|&position| Some(self.environments.get(position)?.marker())).collect();
        match markers.as_slice() {
            [only] => Some(only.clone()),
            several => Some(several.iter().map(|marker| format!("({marker})")).collect::<Vec<_>>().join(" or ")),
        }
    }
}

/// What the user says about files.
pub(super) struct Policy<'a> {
    /// Packages that are taken as source.
    pub no_binary: Vec<Names>,
    /// Packages that are not taken as source.
    pub only_binary: Vec<Names>,
    /// Requirement lines with digests, by normalised name.
    pub digests: BTreeMap<String, Vec<&'a RequirementLine>>,
    /// Also choose for an older glibc of each interpreter: what builds runs on the building machine.
    pub for_builds: bool,
}

/// The glibc that is always served by build requirements, where there are wheels for it.
const OLD_GLIBC: (u32, u32) = (2, 17);

impl Policy<'_> {
    fn source_only(&self, name: &str) -> bool {
        self.no_binary.iter().any(|names| speaks_of(names, name))
    }

    fn binary_only(&self, name: &str) -> bool {
        self.only_binary.iter().any(|names| speaks_of(names, name)) && !self.source_only(name)
    }

    /// The digests that are allowed for this version; `None`: any.
    fn allowed(&self, name: &str, version: Option<&str>) -> Option<(BTreeSet<Sha256>, &RequirementLine)> {
        let version: Option<pep440_rs::Version> = version.and_then(|version| version.parse().ok());
        let lines = self.digests.get(name)?;
        let speaks = |line: &&&RequirementLine| {
            let requirement = line.requirement.parse::<pep508_rs::Requirement<pep508_rs::VerbatimUrl>>();
            match (requirement.map(|requirement| requirement.version_or_url), &version) {
                (Ok(Some(pep508_rs::VersionOrUrl::VersionSpecifier(specifiers))), Some(version)) => {
                    specifiers.contains(version)
                }
                _ => true,
            }
        };
        let first = lines.iter().find(speaks).or(lines.first())?;
        let digests = lines.iter().filter(speaks).flat_map(|line| line.sha256.iter().copied()).collect();
        Some((digests, first))
    }
}

fn speaks_of(names: &Names, name: &str) -> bool {
    match names {
        Names::Nothing => false,
        Names::All => true,
        Names::These(list) => list.iter().any(|other| other == name),
    }
}

/// The locked packages, with complete files. `known` are earlier locks, whose sizes need not be asked for again.
pub(super) fn select(
    context: Context<'_>,
    client: &Client,
    reached: &[Reached],
    sites: &Sites,
    policy: &Policy<'_>,
    known: &[LockedPackage],
) -> Result<Vec<LockedPackage>, LockError> {
    let mut drafts = Vec::new();
    for package in reached {
        if matches!(package.place, Place::Directory(_)) {
            continue;
        }
        drafts.push((package, chosen(package, sites, policy)?));
    }
    let files: Vec<&Artefact> = drafts.iter().flat_map(|(_, chosen)| chosen.files()).collect();
    let complete = complete(context, client, &files, known)?;
    let file = |artefact: &Artefact| -> Result<LockedFile, LockError> {
        complete.get(&artefact.url).cloned().ok_or_else(|| std::io::Error::other("a file was not completed").into())
    };
    let mut packages = Vec::new();
    for (package, chosen) in &drafts {
        let mut locked = LockedPackage {
            name: package.name.clone(),
            version: package.version.clone(),
            marker: sites.marker(&package.environments),
            requires_python: None,
            index: None,
            archive: None,
            sdist: chosen.sdist.as_ref().map(&file).transpose()?,
            wheels: chosen.wheels.iter().map(&file).collect::<Result<_, _>>()?,
        };
        match &package.place {
            Place::Index(url) => locked.index = Some(url.clone()).filter(|url| !url.is_empty()),
            // One archive stands for itself, whatever it holds.
            _ => locked.archive = locked.wheels.pop().or(locked.sdist.take()),
        }
        if let Some((allowed, line)) = policy.allowed(&package.name, package.version.as_deref())
            && let Some(wrong) = locked.files().find(|file| !allowed.contains(&file.hashes.sha256))
        {
            let location = super::closure::location(&line.file, line.line);
            let found = format!("{} sha256:{}", wrong.name, wrong.hashes.sha256);
            return Err(LockError::Digest { package: locked.title(), found, location });
        }
        packages.push(locked);
    }
    Ok(packages)
}

/// The files of one package that targets take.
#[derive(Default)]
struct Chosen {
    sdist: Option<Artefact>,
    wheels: Vec<Artefact>,
}

impl Chosen {
    fn files(&self) -> impl Iterator<Item = &Artefact> {
        self.sdist.iter().chain(&self.wheels)
    }

    fn add_wheel(&mut self, wheel: &Artefact) {
        if !self.wheels.contains(wheel) {
            self.wheels.push(wheel.clone());
        }
    }
}

fn chosen(package: &Reached, sites: &Sites, policy: &Policy<'_>) -> Result<Chosen, LockError> {
    let title = match &package.version {
        Some(version) => format!("{} {version}", package.name),
        None => package.name.clone(),
    };
    let allowed = policy.allowed(&package.name, package.version.as_deref());
    let fits = |file: &&Artefact| match (&allowed, file.sha256) {
        (Some((allowed, _)), Some(sha256)) => allowed.contains(&sha256),
        _ => true,
    };
    let mut wheels: Vec<Artefact> = package.wheels.iter().filter(fits).cloned().collect();
    let mut sdist = package.sdist.as_ref().filter(|sdist| fits(sdist));
    if let (Some((_, line)), true, None) = (&allowed, wheels.is_empty(), sdist) {
        let files = package.sdist.iter().chain(&package.wheels);
        let found: Vec<String> =
            files.filter_map(|file| Some(format!("{} sha256:{}", file.name, file.sha256?))).take(8).collect();
        let location = super::closure::location(&line.file, line.line);
        return Err(LockError::Digest { package: title, found: found.join(", "), location });
    }
    if policy.source_only(&package.name) {
        if sdist.is_none() {
            return Err(LockError::Unusable {
                package: title,
                target: "any target".to_owned(),
                reason: "it is to be built from source, and there is no source distribution".to_owned(),
                hint: "take it out of no_binary".to_owned(),
            });
        }
        wheels.clear();
    }
    if policy.binary_only(&package.name) {
        sdist = None;
    }
    let mut chosen = Chosen::default();
    for site in sites.sites.iter().filter(|site| package.environments.contains(&site.position)) {
        match (best_of(&wheels, |file| &file.name, &site.environment), sdist) {
            (Some(wheel), _) => chosen.add_wheel(wheel),
            (None, Some(sdist)) => chosen.sdist = Some(sdist.clone()),
            (None, None) => return Err(unusable(title, package, site)),
        }
        if policy.for_builds {
            let old = PythonEnvironment { glibc: site.environment.glibc.min(OLD_GLIBC), ..site.environment };
            if let Some(wheel) = best_of(&wheels, |file| &file.name, &old) {
                chosen.add_wheel(wheel);
            }
        }
    }
    Ok(chosen)
}

/// The error of a package that a target cannot take, with what would help.
fn unusable(title: String, package: &Reached, site: &Site) -> LockError {
    let newer = PythonEnvironment { glibc: (2, 99), ..site.environment };
    let target = site.target.to_string();
    let too_new = best_of(&package.wheels, |file| &file.name, &newer);
    let (reason, hint) = match too_new {
        Some(wheel) => (
            format!(
                "its wheel {} needs a newer glibc than {}.{}, and there is no source distribution",
                wheel.name, site.environment.glibc.0, site.environment.glibc.1
            ),
            format!(
                "require an older version of {}, whose wheels are for an older glibc, or leave {target} out of `targets`",
                package.name
            ),
        ),
        None => {
            let mut names: Vec<&str> = package.wheels.iter().map(|file| file.name.as_str()).collect();
            names.truncate(6);
            let names = if names.is_empty() { "none at all".to_owned() } else { names.join(", ") };
            (
                format!(
                    "it has no wheel for {} (it has {names}), and no source distribution that may be taken",
                    site.environment
                ),
                format!(
                    "require another version of {}, another interpreter for {target}, or leave {target} out of `targets`",
                    package.name
                ),
            )
        }
    };
    LockError::Unusable { package: title, target, reason, hint }
}

/// Files with digest and size, by URL. What neither the index nor an earlier lock nor the cache says is found out by
/// fetching the file into the cache: it is vendored from there next. To ask for its length alone would be as many requests
/// more, and the indexes that give no sizes are the small mirrors, which limit just those. A file without a digest is what
/// came.
fn complete(
    context: Context<'_>,
    client: &Client,
    files: &[&Artefact],
    known: &[LockedPackage],
) -> Result<BTreeMap<String, LockedFile>, LockError> {
    let sizes: BTreeMap<Sha256, u64> =
        known.iter().flat_map(LockedPackage::files).filter_map(|file| Some((file.hashes.sha256, file.size?))).collect();
    let mut complete = BTreeMap::new();
    let mut missing: Vec<&Artefact> = Vec::new();
    for &file in files {
        let size = file.size.or_else(|| sizes.get(&file.sha256?).copied());
        match (file.sha256, size) {
            (Some(sha256), Some(size)) => {
                complete.insert(file.url.clone(), locked(file, sha256, size));
            }
            _ if missing.iter().any(|other| other.url == file.url) => {}
            _ => missing.push(file),
        }
    }
    let downloads = missing
        .iter()
        .map(|file| {
            let url = Url::parse(&file.url).map_err(|error| {
                let url = super::indexes::redact(&file.url);
                LockError::Io(std::io::Error::other(format!("`{url}`, which the index names, is no URL: {error}")))
            })?;
            Ok(Download { name: file.name.clone(), url, sha256: file.sha256, size: file.size })
        })
        .collect::<Result<Vec<_>, LockError>>()?;
    let fetched = download(client, &downloads, context.cache, context.reporter)
        .map_err(|error| LockError::Other(Box::new(error)))?;
    for (file, fetched) in missing.into_iter().zip(fetched) {
        complete.insert(file.url.clone(), locked(file, fetched.sha256, fetched.size));
    }
    Ok(complete)
}

fn locked(file: &Artefact, sha256: Sha256, size: u64) -> LockedFile {
    let url = super::indexes::without_credentials(&file.url).0;
    let url = url.split_once('#').map_or(url.clone(), |(url, _)| url.to_owned());
    LockedFile { name: file.name.clone(), url: Some(url), size: Some(size), hashes: Hashes { sha256 } }
}
