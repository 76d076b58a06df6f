//! What `vendor.txt` names, as locked packages.
//!
//! A line with `--no-deps` is what `pip download --no-deps` would fetch for each target: no resolver, the newest version
//! that the line admits, `--platform` and `--abi` literally as pip takes them. Two things are stricter: what comes out
//! must be usable by the target (pip downloads it anyhow), and it is taken from where the name may come from. A line
//! without `--no-deps` wants its dependencies too: it is handed back to be resolved together with all others.
//!
//! An archive at a URL is fetched to know what it is. Where the line gives no digest the lock of before does, else the
//! first download decides, which is told.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

use pep440_rs::{Operator, Version, VersionSpecifiers};
use pep508_rs::{Requirement, VerbatimUrl, VersionOrUrl};
use url::Url;

use super::index::{self, FileKind, IndexClient, IndexFile, Source};
use super::indexes::{IndexError, Indexes, redact};
use super::pylock::{Hashes, LockedFile, LockedPackage, file_name_of_url};
use super::requirements::{Names, Placed};
use super::sdist;
use super::select::{Site, Sites};
use super::tags::{WheelName, best_of};
use super::vendor_txt::{VendorArchive, VendorEntry, VendorFile, VendorRequirement};
use crate::diagnostic::{Code, Diagnose, ExitCode, Location, codes};
use crate::digest::Sha256;
use crate::ecosystem::Context;
use crate::fetch::{self, Download, address};
use crate::name::normalize;
use crate::target::PythonVersion;

/// What a `vendor.txt` comes to.
#[derive(Debug, Default)]
pub(super) struct VendorLock {
    /// Lines with `--no-deps` and archives, with complete files (digest and size), in the order of the lines; a
    /// requirement that comes to two versions for two targets is two packages with markers.
    pub(super) packages: Vec<LockedPackage>,
    /// Lines without `--no-deps`: for the resolver, with their policies (`binary`, `pre`, `constraints`, `sha256`).
    pub(super) requirements: Vec<VendorRequirement>,
}

/// Why a line of `vendor.txt` cannot be locked.
#[derive(Debug, thiserror::Error)]
pub(super) enum VendorLockError {
    #[error("{message}")]
    Line { message: String, hint: Option<String>, location: Box<Location> },
    #[error(transparent)]
    Indexes(#[from] IndexError),
    #[error(transparent)]
    Index(#[from] index::Error),
    #[error(transparent)]
    Fetch(#[from] fetch::Error),
}

impl Diagnose for VendorLockError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Line { .. } => &codes::INVALID_VENDOR_TXT,
            Self::Indexes(error) => error.code(),
            Self::Index(error) => error.code(),
            Self::Fetch(error) => error.code(),
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Line { .. } => ExitCode::Failed,
            Self::Indexes(error) => error.exit_code(),
            Self::Index(error) => error.exit_code(),
            Self::Fetch(error) => error.exit_code(),
        }
    }

    fn location(&self) -> Option<&Location> {
        match self {
            Self::Line { location, .. } => Some(location),
            Self::Indexes(error) => error.location(),
            Self::Index(error) => error.location(),
            Self::Fetch(error) => error.location(),
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Line { hint, .. } => hint.iter().cloned().collect(),
            Self::Indexes(error) => error.hints(),
            Self::Index(error) => error.hints(),
            Self::Fetch(error) => error.hints(),
        }
    }
}

/// Where a line stands, for messages.
struct Place<'a> {
    file: &'a std::path::Path,
    line: usize,
}

impl Place<'_> {
    fn error(&self, message: impl Into<String>, hint: &str) -> VendorLockError {
        let text = redact(&fs_err::read_to_string(self.file).unwrap_or_default());
        let location = Box::new(Location::line(self.file, text, self.line));
        let hint = (!hint.is_empty()).then(|| hint.to_owned());
        VendorLockError::Line { message: message.into(), hint, location }
    }
}

/// Locks the entries of a `vendor.txt` for all of `sites`. `known` are the packages of the lock of before: an archive
/// that stands there must still be what it was.
pub(super) fn resolve(
    context: Context<'_>,
    client: &IndexClient<'_>,
    vendor: &VendorFile,
    sites: &Sites,
    indexes: &Indexes,
    known: &[LockedPackage],
) -> Result<VendorLock, VendorLockError> {
    let mut lock = VendorLock::default();
    for entry in &vendor.entries {
        match entry {
            VendorEntry::Requirement(entry) if entry.no_deps => {
                lock.packages.extend(requirement(context, client, entry, sites, indexes)?);
            }
            VendorEntry::Requirement(entry) => lock.requirements.push((**entry).clone()),
            VendorEntry::Archive(entry) => lock.packages.push(archive(context, client, entry, known)?),
        }
    }
    Ok(lock)
}

/// What the line admits, as far as it can be said without looking at any index.
struct Wanted<'a> {
    entry: &'a VendorRequirement,
    place: Place<'a>,
    name: String,
    requirement: Requirement<VerbatimUrl>,
    specifiers: Vec<VersionSpecifiers>,
    wheels: bool,
    sdists: bool,
}

impl<'a> Wanted<'a> {
    fn read(entry: &'a VendorRequirement) -> Result<Self, VendorLockError> {
        let place = Place { file: &entry.file, line: entry.line };
        let parse = |text: &str| Requirement::<VerbatimUrl>::from_str(text);
        let requirement = parse(&entry.requirement)
            .map_err(|error| place.error(format!("`{}` is no requirement: {error}", entry.requirement), ""))?;
        let name = normalize(requirement.name.as_ref());
        let mut specifiers = Vec::new();
        let constraints = entry.constraints.iter().filter_map(|line| parse(&line.requirement).ok());
        for limit in constraints.filter(|limit| normalize(limit.name.as_ref()) == name).chain([requirement.clone()]) {
            match limit.version_or_url {
                Some(VersionOrUrl::VersionSpecifier(limit)) => specifiers.push(limit),
                Some(VersionOrUrl::Url(_)) => {
                    return Err(place.error(format!("{name} is given with a URL"), "write the URL alone on the line"));
                }
                None => {}
            }
        }
        let speaks = |names: &Names| match names {
            Names::Nothing => false,
            Names::All => true,
            Names::These(list) => list.contains(&name),
        };
        let (wheels, sdists) = (!speaks(&entry.binary.no_binary), !speaks(&entry.binary.only_binary));
        if !wheels && !sdists {
            return Err(place.error(format!("{name} may be neither a wheel nor a source distribution"), ""));
        }
        Ok(Self { entry, place, name, requirement, specifiers, wheels, sdists })
    }

    /// Whether the line is for this target: its marker is true, and `--python-version` is the target's.
    fn is_for(&self, site: &Site) -> bool {
        let python = self.entry.python_version.as_deref().and_then(PythonVersion::parse);
        python.is_none_or(|python| python == site.environment.python)
            && self.requirement.evaluate_markers(&site.environment.markers(), &[])
    }

    /// Whether the version is admitted and not withdrawn.
    fn admits(&self, file: &IndexFile) -> bool {
        let exact = self
            .specifiers
            .iter()
            .flat_map(|limit| limit.iter())
            .any(|limit| matches!(limit.operator(), Operator::Equal | Operator::ExactEqual));
        let digest =
            file.sha256.is_none_or(|digest| self.entry.sha256.is_empty() || self.entry.sha256.contains(&digest));
        digest && (file.yanked.is_none() || exact) && self.specifiers.iter().all(|limit| limit.contains(&file.version))
    }

    fn admits_prereleases(&self) -> bool {
        self.entry.pre || self.specifiers.iter().flat_map(|limit| limit.iter()).any(|limit| limit.any_prerelease())
    }

    /// Whether the options of the line admit this kind of file.
    fn admits_kind(&self, file: &IndexFile) -> bool {
        if file.kind == FileKind::Sdist {
            return self.sdists;
        }
        let Ok(wheel) = WheelName::parse(&file.filename) else { return false };
        let entry = self.entry;
        let any = wheel.platforms.iter().any(|platform| platform == "any");
        let platform = match (entry.source_or_pure, entry.platforms.is_empty()) {
            (true, _) => any,
            (false, true) => true,
            (false, false) => any || wheel.platforms.iter().any(|platform| expand(&entry.platforms).contains(platform)),
        };
        let abi = entry.abis.is_empty()
            || wheel.abis.iter().any(|abi| entry.abis.contains(abi) || matches!(abi.as_str(), "abi3" | "none"));
        let implementation = match entry.implementation.as_deref() {
            None => true,
            Some(implementation) => {
                wheel.pythons.iter().any(|python| python.starts_with(implementation) || python.starts_with("py"))
            }
        };
        self.wheels && platform && abi && implementation
    }
}

/// The platforms that pip takes for those that were given: only the old named profiles stand for older ones too
/// (`_expand_allowed_platforms`, `_custom_manylinux_platforms` in pip's `utils/compatibility_tags.py`).
fn expand(platforms: &[String]) -> BTreeSet<String> {
    let mut all: BTreeSet<String> = platforms.iter().cloned().collect();
    for platform in platforms {
        let Some((profile, machine)) = platform.split_once('_') else { continue };
        let older: &[&str] = match (profile, machine) {
            ("manylinux2014", "x86_64" | "i686") => &["manylinux2010", "manylinux1"],
            ("manylinux2010", _) => &["manylinux1"],
            _ => &[],
        };
        all.extend(older.iter().map(|older| format!("{older}_{machine}")));
    }
    all
}

/// A file that an index offers, and the index.
#[derive(Clone)]
struct Offer {
    file: IndexFile,
    index: Option<String>,
}

fn requirement(
    context: Context<'_>,
    client: &IndexClient<'_>,
    entry: &VendorRequirement,
    sites: &Sites,
    indexes: &Indexes,
) -> Result<Vec<LockedPackage>, VendorLockError> {
    let wanted = Wanted::read(entry)?;
    let name = &wanted.name;
    let offers = offers(client, &wanted, indexes)?;
    let mut versions: BTreeMap<Version, Draft> = BTreeMap::new();
    let mut served = false;
    for site in sites.sites.iter().filter(|site| wanted.is_for(site)) {
        served = true;
        let Some(offer) = choose(&wanted, &offers, site) else { return Err(nothing(&wanted, &offers, site)) };
        let draft = versions.entry(offer.file.version.clone()).or_default();
        draft.positions.insert(site.position);
        draft.index = draft.index.take().or_else(|| offer.index.clone());
        draft.files.insert(offer.file.filename.clone(), offer.file.clone());
    }
    if !served && wanted.entry.python_version.is_some() {
        let message = format!("{name} is for a Python that no target has");
        return Err(wanted.place.error(message, "take --python-version off the line, or the line out of the file"));
    }
    let mut packages = Vec::new();
    for (version, draft) in versions {
        let mut package = LockedPackage {
            name: name.clone(),
            version: Some(version.to_string()),
            marker: sites.marker(&draft.positions),
            requires_python: None,
            index: draft.index,
            archive: None,
            sdist: None,
            wheels: Vec::new(),
        };
        for file in draft.files.values() {
            let locked = complete(context, client, file)?;
            if !entry.sha256.is_empty() && !entry.sha256.contains(&locked.hashes.sha256) {
                let message =
                    format!("{} has sha256 {}, which the line does not name", locked.name, locked.hashes.sha256);
                return Err(wanted.place.error(message, "correct the digest if the file is right"));
            }
            match file.kind {
                FileKind::Wheel => package.wheels.push(locked),
                FileKind::Sdist => package.sdist = Some(locked),
            }
        }
        packages.push(package);
    }
    Ok(packages)
}

/// One version on its way into the lock.
#[derive(Default)]
struct Draft {
    positions: BTreeSet<usize>,
    index: Option<String>,
    files: BTreeMap<String, IndexFile>,
}

/// All files of the name from where it may come: of several indexes the first that knows it, and all pages of links.
fn offers(client: &IndexClient<'_>, wanted: &Wanted<'_>, indexes: &Indexes) -> Result<Vec<Offer>, VendorLockError> {
    let mut offers: Vec<Offer> = Vec::new();
    let mut found = false;
    for source in sources(wanted, indexes)? {
        let is_index = matches!(source, Source::Index(_));
        if is_index && found {
            continue;
        }
        let files = client.files(&source, &wanted.name)?.unwrap_or_default();
        found |= is_index && !files.is_empty();
        let index = is_index.then(|| source.url().as_str().trim_end_matches('/').to_owned());
        for file in files {
            if !offers.iter().any(|offer| offer.file.filename == file.filename) {
                offers.push(Offer { file, index: index.clone() });
            }
        }
    }
    Ok(offers)
}

fn sources(wanted: &Wanted<'_>, indexes: &Indexes) -> Result<Vec<Source>, VendorLockError> {
    let (entry, place) = (wanted.entry, &wanted.place);
    let pin = indexes.pin_of(&wanted.name)?;
    let named = entry.index_url.iter().chain(&entry.extra_index_urls).chain(&entry.find_links);
    for placed in named {
        let (url, login) = super::indexes::without_credentials(&placed.value);
        let place = Place { file: &placed.file, line: placed.line };
        if login.is_some() {
            let hint = "put it into the environment, ~/.netrc or a keyring";
            return Err(place.error("a user or password stands in this file", hint));
        }
        if let Some(pin) = pin.filter(|pin| pin.url != url) {
            let message = format!("{} is pinned to the index {} and is taken from no other", wanted.name, pin.url);
            return Err(place.error(message, "take the option off the line, or the name out of the index's `packages`"));
        }
    }
    let parse = |placed: &Placed<String>| {
        let directory = || Url::from_file_path(placed.file.parent()?.join(&placed.value)).ok();
        let parsed = if placed.value.contains("://") { Url::parse(&placed.value).ok() } else { directory() };
        parsed.ok_or_else(|| place.error(format!("`{}` is no URL", redact(&placed.value)), ""))
    };
    let links = entry.find_links.iter().map(|placed| parse(placed).map(Source::FindLinks));
    let extra = entry.extra_index_urls.iter().map(|placed| parse(placed).map(Source::Index));
    let mut all = match &entry.index_url {
        Some(placed) => vec![Source::Index(parse(placed)?)],
        None => index::sources(indexes, &wanted.name)?,
    };
    let extra: Vec<Source> = extra.collect::<Result<_, _>>()?;
    all.splice(0..0, extra);
    all.extend(links.collect::<Result<Vec<_>, _>>()?);
    Ok(all)
}

/// The file that a target takes: of the newest version that has one.
fn choose<'a>(wanted: &Wanted<'_>, offers: &'a [Offer], site: &Site) -> Option<&'a Offer> {
    let environment = &site.environment;
    let fits = |offer: &&Offer| {
        let requires = offer.file.requires_python.as_deref();
        let requires = requires.and_then(|text| VersionSpecifiers::from_str(text).ok());
        wanted.admits(&offer.file)
            && wanted.admits_kind(&offer.file)
            && requires.is_none_or(|requires| environment.meets(&requires))
    };
    let fitting: Vec<&Offer> = offers.iter().filter(fits).collect();
    let newest = |prereleases: bool, sdists: bool| {
        let mut versions: Vec<&Version> = fitting.iter().map(|offer| &offer.file.version).collect();
        versions.sort_unstable();
        versions.dedup();
        versions.into_iter().rev().filter(|version| prereleases || !version.any_prerelease()).find_map(|version| {
            let of_version: Vec<&Offer> =
                fitting.iter().copied().filter(|offer| offer.file.version == *version).collect();
            let is_wheel = |offer: &&&Offer| offer.file.kind == FileKind::Wheel;
            let wheels: Vec<&Offer> = of_version.iter().filter(is_wheel).copied().collect();
            let wheel = best_of(&wheels, |offer| &offer.file.filename, environment).copied();
            let sdist = of_version.iter().copied().filter(|offer| offer.file.kind == FileKind::Sdist);
            // `.tar.gz` before the other forms: the form of PEP 625.
            let sdist = sdist.min_by_key(|offer| (!offer.file.filename.ends_with(".tar.gz"), &offer.file.filename));
            wheel.or(sdist.filter(|_| sdists))
        })
    };
    let passes: &[bool] = if wanted.entry.binary.prefer_binary { &[false, true] } else { &[true] };
    let pass = |prereleases: bool| passes.iter().find_map(|&sdists| newest(prereleases, sdists));
    pass(wanted.admits_prereleases()).or_else(|| pass(true))
}

fn nothing(wanted: &Wanted<'_>, offers: &[Offer], site: &Site) -> VendorLockError {
    let name = &wanted.name;
    if offers.is_empty() {
        return wanted
            .place
            .error(format!("no index has {name}"), "check the name, and the indexes that are configured");
    }
    let admitted: Vec<&Offer> = offers.iter().filter(|offer| wanted.admits(&offer.file)).collect();
    let mut versions: Vec<&Version> = offers.iter().map(|offer| &offer.file.version).collect();
    versions.sort_unstable();
    versions.dedup();
    let Some(last) = admitted.last() else {
        let newest: Vec<String> = versions.iter().rev().take(5).map(ToString::to_string).collect();
        let message = format!("no version of {name} is what the line asks for (the newest are {})", newest.join(", "));
        return wanted.place.error(message, "change the version or the digest on the line");
    };
    let files: Vec<&str> = admitted
        .iter()
        .filter(|offer| offer.file.version == last.file.version)
        .map(|offer| offer.file.filename.as_str())
        .take(6)
        .collect();
    let message =
        format!("no file of {name} that the line admits can be used by {} ({})", site.target, site.environment);
    let hint = format!("{} {} has: {}", name, last.file.version, files.join(", "));
    wanted.place.error(message, &hint)
}

/// The file with digest and size; what the index does not say is found out.
fn complete(context: Context<'_>, client: &IndexClient<'_>, file: &IndexFile) -> Result<LockedFile, fetch::Error> {
    let (sha256, size) = match (file.sha256, file.size) {
        (Some(sha256), Some(size)) => (sha256, size),
        (Some(sha256), None) => (sha256, client.client().length(&file.url)?),
        (None, size) => {
            let download = Download { name: file.filename.clone(), url: file.url.clone(), sha256: None, size };
            fetch_one(context, client, download)?
        }
    };
    let url = Some(file.url.to_string());
    Ok(LockedFile { name: file.filename.clone(), url, size: Some(size), hashes: Hashes { sha256 } })
}

fn fetch_one(
    context: Context<'_>,
    client: &IndexClient<'_>,
    download: Download,
) -> Result<(Sha256, u64), fetch::Error> {
    let fetched = fetch::download(client.client(), &[download], context.cache, context.reporter)?;
    let lost = || fetch::Error::Io(std::io::Error::other("a download gave no file"));
    fetched.first().map(|file| (file.sha256, file.size)).ok_or_else(lost)
}

fn archive(
    context: Context<'_>,
    client: &IndexClient<'_>,
    entry: &VendorArchive,
    known: &[LockedPackage],
) -> Result<LockedPackage, VendorLockError> {
    let place = Place { file: &entry.file, line: entry.line };
    let url = Url::parse(&entry.url).map_err(|_| place.error(format!("`{}` is no URL", redact(&entry.url)), ""))?;
    if url.scheme() == "https" && (!url.username().is_empty() || url.password().is_some()) {
        return Err(place.error("a user or password stands in this file", "put it into ~/.netrc or a keyring"));
    }
    let locked_url = address::without_login(url.clone()).to_string();
    let name = file_name_of_url(&locked_url)
        .ok_or_else(|| place.error("the URL does not end in the name of a file", "name the archive itself"))?;
    let before = known
        .iter()
        .filter_map(|package| package.archive.as_ref())
        .find(|file| file.url.as_deref() == Some(locked_url.as_str()));
    let sha256 = match (entry.sha256.as_slice(), before) {
        ([only], _) => Some(*only),
        ([], Some(before)) => Some(before.hashes.sha256),
        _ => None,
    };
    let download = Download { name: name.clone(), url, sha256, size: None };
    let (sha256, size) = fetch_one(context, client, download)?;
    if !entry.sha256.is_empty() && !entry.sha256.contains(&sha256) {
        let message = format!("{name} has sha256 {sha256}, which the line does not name");
        return Err(place.error(message, "correct the digest if the file is right"));
    }
    if entry.sha256.is_empty() && before.is_none() {
        context.reporter.note(&format!("{name} had no digest; from now on it must have sha256 {sha256}"));
    }
    let path = context.cache.artefact(sha256);
    let (distribution, version) = identity(&path, &name).map_err(|reason| {
        let hint =
            "give the URL of a wheel or a source distribution (name-version.tar.gz) that says its name and version";
        place.error(format!("{name} does not say what it is: {reason}"), hint)
    })?;
    let file = LockedFile { name, url: Some(locked_url), size: Some(size), hashes: Hashes { sha256 } };
    Ok(LockedPackage {
        name: distribution,
        version: Some(version.to_string()),
        marker: None,
        requires_python: None,
        index: None,
        archive: Some(file),
        sdist: None,
        wheels: Vec::new(),
    })
}

/// Name (normalised) and version of an archive: what its metadata or manifest says, else its file name.
fn identity(path: &std::path::Path, file_name: &str) -> Result<(String, Version), String> {
    let version = |text: &str| Version::from_str(text).map_err(|error| format!("its version is `{text}`: {error}"));
    if file_name.ends_with(".whl") {
        let wheel = WheelName::parse(file_name).map_err(|error| error.to_string())?;
        return Ok((normalize(&wheel.name), version(&wheel.version.replace('_', "-"))?));
    }
    let (name, said) = sdist::identity(path, file_name).map_err(|error| error.to_string())?;
    let stem = index::SDIST_ENDINGS.iter().find_map(|ending| file_name.strip_suffix(ending)).unwrap_or(file_name);
    let (stem_name, stem_version) = stem.rsplit_once('-').unwrap_or((stem, ""));
    let name = match name {
        Some(name) => name,
        None if !stem_version.is_empty() => stem_name.to_owned(),
        None => return Err("neither a manifest in it nor its file name has a name".to_owned()),
    };
    let said = said.filter(|text| !text.is_empty());
    // GitHub's archives are called by their tag: `v1.2.tar.gz`.
    let tag = stem.rsplit('-').next().unwrap_or(stem).trim_start_matches('v');
    Ok((normalize(&name), version(said.as_deref().unwrap_or(tag))?))
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::cache::Cache;
    use crate::config::{IndexSettings, Maintainer, ProjectSettings, RepositorySettings, Settings};
    use crate::ecosystem::python::indexes::Surroundings;
    use crate::ecosystem::python::requirements::BinaryPolicy;
    use crate::ecosystem::python::tags::PythonEnvironment;
    use crate::fetch::Client;
    use crate::fetch::credentials::Credentials;
    use crate::fetch::server::{Reply, Server};
    use crate::name::OrgName;
    use crate::report::Silent;
    use crate::target::{distributions, parse_target};
    use crate::workspace::Workspace;

    /// Targets, an index, and a `vendor.txt` that lines can be said to stand in.
    struct World {
        directory: tempfile::TempDir,
        settings: Settings,
        workspace: Workspace,
        cache: Cache,
        sites: Sites,
        server: Server,
    }

    impl World {
        /// An index with these files, each with its name as content, and an archive at `/up/`.
        fn new(targets: &[(&str, u8)], files: &'static [&'static str]) -> Self {
            let directory = tempfile::tempdir().unwrap();
            let known = distributions();
            let mut sites = Sites::default();
            for (target, minor) in targets {
                let target = parse_target(target, &known).unwrap();
                sites.add(target.clone(), PythonEnvironment::of(&target, PythonVersion::three(*minor)));
            }
            let project = ProjectSettings {
                org: OrgName::parse("acme").unwrap(),
                maintainer: Maintainer { name: "Acme".to_owned(), mail: "cloud@acme.example".to_owned() },
                homepage: None,
                license: None,
                targets: Vec::new(),
                members: None,
                exclude: globset::GlobSet::empty(),
                vendor: PathBuf::from("vendor"),
                effort: crate::format::Effort::default(),
            };
            let root = directory.path().to_path_buf();
            let settings = Settings {
                root: root.clone(),
                project,
                indexes: Vec::new(),
                services: BTreeMap::new(),
                adopted: BTreeMap::new(),
                distributions: known,
                licenses: crate::config::LicensePolicy::default(),
                repository: RepositorySettings::default(),
            };
            fs_err::write(root.join("vendor.txt"), "the line\n").unwrap();
            let server = Server::new(move |request| {
                if request.path == "/simple/thing/" {
                    let links: String =
                        files.iter().map(|name| format!("<a href='/files/{name}'>{name}</a>\n")).collect();
                    return Reply::whole(links).with("Content-Type", "text/html");
                }
                if request.path == "/up/v1.2.tar.gz" {
                    return Reply::whole(source_archive());
                }
                match request.path.strip_prefix("/files/") {
                    Some(name) => Reply::ranged(request, name.as_bytes()),
                    None => Reply::status(404),
                }
            });
            let cache = Cache::at(root.join("cache"));
            let workspace = Workspace { root, members: Vec::new() };
            Self { directory, settings, workspace, cache, sites, server }
        }

        fn entry(&self, requirement: &str) -> VendorRequirement {
            VendorRequirement {
                requirement: requirement.to_owned(),
                no_deps: true,
                platforms: Vec::new(),
                abis: Vec::new(),
                implementation: None,
                python_version: None,
                source_or_pure: false,
                binary: BinaryPolicy::default(),
                pre: false,
                index_url: None,
                extra_index_urls: Vec::new(),
                find_links: Vec::new(),
                sha256: Vec::new(),
                constraints: Vec::new(),
                file: self.directory.path().join("vendor.txt"),
                line: 1,
            }
        }

        fn resolve(&self, entry: VendorEntry, known: &[LockedPackage]) -> Result<VendorLock, VendorLockError> {
            let context = Context {
                settings: &self.settings,
                workspace: &self.workspace,
                cache: &self.cache,
                reporter: &Silent,
                offline: false,
                locked: false,
                threads: 1,
            };
            let index = IndexSettings {
                name: "own".to_owned(),
                url: self.server.url("/simple").to_string(),
                packages: vec!["thing".to_owned()],
            };
            let around = Surroundings { variable: &|_| None, system: Path::new("/nonexistent") };
            let indexes = Indexes::collect(&[index], &[], &around).unwrap();
            let client = Client::new(Credentials::none(), false).unwrap();
            let vendor = VendorFile { entries: vec![entry], files: Vec::new() };
            resolve(context, &IndexClient::new(&client), &vendor, &self.sites, &indexes, known)
        }

        /// The names of the files that a line comes to.
        fn names(&self, entry: VendorRequirement) -> Vec<String> {
            let lock = self.resolve(VendorEntry::Requirement(Box::new(entry)), &[]).unwrap();
            for file in lock.packages.iter().flat_map(LockedPackage::files) {
                assert_eq!(file.hashes.sha256, Sha256::of(file.name.as_bytes()));
                assert_eq!(file.size, Some(file.name.len() as u64));
            }
            lock.packages.iter().flat_map(LockedPackage::files).map(|file| file.name.clone()).collect()
        }

        fn error(&self, entry: VendorRequirement) -> VendorLockError {
            self.resolve(VendorEntry::Requirement(Box::new(entry)), &[]).unwrap_err()
        }
    }

    fn source_archive() -> Vec<u8> {
        let encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let mut builder = tar::Builder::new(encoder);
        let text = "[project]\nname = 'Up.Stream'\nversion = '1.2'\n";
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, "upstream-1.2/pyproject.toml", text.as_bytes()).unwrap();
        builder.into_inner().unwrap().finish().unwrap()
    }

    const FILES: &[&str] = &[
        "thing-1.0.tar.gz",
        "thing-1.0-py3-none-any.whl",
        "thing-2.0.tar.gz",
        "thing-2.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        "thing-2.0-cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        "thing-2.0-cp311-cp311-macosx_10_9_x86_64.whl",
        "thing-3.0rc1.tar.gz",
    ];

    #[test]
    fn each_target_gets_the_newest_version_and_its_own_wheel() {
        let world = World::new(&[("debian-12/amd64", 11), ("debian-13/amd64", 13)], FILES);
        let names = world.names(world.entry("thing"));
        assert_eq!(names, [FILES[3], FILES[4]]);
    }

    #[test]
    fn a_foreign_platform_without_dependencies_means_the_source() {
        let world = World::new(&[("debian-12/amd64", 11)], FILES);
        let entry = VendorRequirement { source_or_pure: true, ..world.entry("thing") };
        assert_eq!(world.names(entry), [FILES[2]]);
        let entry = VendorRequirement { source_or_pure: true, ..world.entry("thing==1.0") };
        assert_eq!(world.names(entry), [FILES[1]]);
    }

    #[test]
    fn platforms_are_literal_except_for_the_old_named_ones() {
        let world = World::new(&[("debian-12/amd64", 11)], FILES);
        let of = |platform: &str| {
            world.names(VendorRequirement { platforms: vec![platform.to_owned()], ..world.entry("thing") })
        };
        assert_eq!(of("manylinux2014_x86_64"), [FILES[3]]);
        // pip: `manylinux_2_36` does not stand for `manylinux_2_17`, so the source of the same version is taken.
        assert_eq!(of("manylinux_2_36_x86_64"), [FILES[2]]);
        assert_eq!(of("linux_x86_64"), [FILES[2]]);
        assert!(expand(&["manylinux2014_x86_64".to_owned()]).contains("manylinux1_x86_64"));
        assert!(!expand(&["manylinux_2_28_x86_64".to_owned()]).contains("manylinux_2_17_x86_64"));
    }

    #[test]
    fn prereleases_come_only_when_asked_for() {
        let world = World::new(&[("debian-12/amd64", 11)], FILES);
        assert_eq!(world.names(VendorRequirement { pre: true, ..world.entry("thing") }), [FILES[6]]);
        assert_eq!(world.names(world.entry("thing>=3.0rc1")), [FILES[6]]);
        assert_eq!(world.names(world.entry("thing<2")), [FILES[1]]);
    }

    #[test]
    fn the_digest_on_the_line_must_be_the_files() {
        let world = World::new(&[("debian-12/amd64", 11)], FILES);
        let right = Sha256::of(FILES[3].as_bytes());
        world.names(VendorRequirement { sha256: vec![right], ..world.entry("thing") });
        let error = world.error(VendorRequirement { sha256: vec![Sha256::of(b"other")], ..world.entry("thing") });
        assert!(error.to_string().contains(&right.to_string()), "{error}");
        assert_eq!(error.location().unwrap().line_and_column().0, 1);
    }

    #[test]
    fn a_line_that_comes_to_nothing_says_what_there_is() {
        let world = World::new(&[("debian-12/amd64", 11)], FILES);
        let error = world.error(world.entry("thing==9"));
        assert!(error.to_string().contains("the newest are 3.0rc1, 2.0, 1.0"), "{error}");
        let only = BinaryPolicy { only_binary: Names::All, ..BinaryPolicy::default() };
        let arm = World::new(&[("debian-12/arm64", 11)], FILES);
        let error = arm.error(VendorRequirement { binary: only, ..arm.entry("thing==2.0") });
        assert!(error.to_string().contains("debian-12/arm64") && error.hints()[0].contains("macosx"), "{error}");
        let error = world.error(VendorRequirement { python_version: Some("3.8".to_owned()), ..world.entry("thing") });
        assert!(error.to_string().contains("no target has"), "{error}");
    }

    #[test]
    fn a_pinned_name_is_not_taken_from_the_index_that_a_line_names() {
        let world = World::new(&[("debian-12/amd64", 11)], FILES);
        let file = world.directory.path().join("vendor.txt");
        let placed = |value: &str| Some(Placed { value: value.to_owned(), file: file.clone(), line: 1 });
        let entry = VendorRequirement { index_url: placed("https://example.org/simple"), ..world.entry("thing") };
        assert!(world.error(entry).to_string().contains("pinned"));
        let entry =
            VendorRequirement { index_url: placed("https://u:geheim@example.org/simple"), ..world.entry("thing") };
        let error = world.error(entry);
        assert!(error.to_string().contains("password") && !format!("{error:?}").contains("geheim"), "{error:?}");
    }

    #[test]
    fn a_line_that_wants_its_dependencies_goes_to_the_resolver() {
        let world = World::new(&[("debian-12/amd64", 11)], FILES);
        let entry = VendorRequirement { no_deps: false, ..world.entry("thing") };
        let lock = world.resolve(VendorEntry::Requirement(Box::new(entry)), &[]).unwrap();
        assert_eq!((lock.packages.len(), lock.requirements.len()), (0, 1));
        assert!(world.server.requests().is_empty());
    }

    #[test]
    fn an_archive_is_known_by_what_is_in_it_and_must_stay_what_it_was() {
        let world = World::new(&[("debian-12/amd64", 11)], FILES);
        let archive = VendorArchive {
            url: world.server.url("/up/v1.2.tar.gz").to_string(),
            sha256: Vec::new(),
            file: world.directory.path().join("vendor.txt"),
            line: 1,
        };
        let resolve = |known: &[LockedPackage]| world.resolve(VendorEntry::Archive(archive.clone()), known);
        let package = resolve(&[]).unwrap().packages.remove(0);
        assert_eq!((package.name.as_str(), package.version.as_deref()), ("up-stream", Some("1.2")));
        let file = package.archive.clone().unwrap();
        assert_eq!(file.hashes.sha256, Sha256::of(&source_archive()));
        assert_eq!(resolve(std::slice::from_ref(&package)).unwrap().packages, std::slice::from_ref(&package));
        let mut before = package;
        before.archive = Some(LockedFile { hashes: Hashes { sha256: Sha256::of(b"before") }, ..file });
        assert!(matches!(resolve(&[before]).unwrap_err(), VendorLockError::Fetch(fetch::Error::Hash { .. })));
    }
}
