//! What a source distribution says about itself, read without running any of it.
//!
//! The strongest word first: PKG-INFO of metadata version 2.2 and later, where what is not `Dynamic` is final (PEP 643); a
//! static `[project]` table (PEP 621); `requires.txt` of setuptools' egg-info, which setuptools itself wrote from the
//! requirements when the archive was made; `Requires-Dist` of an older PKG-INFO; the other manifests as far as they can be
//! read as text. When none of them says it, that is an error and no guess.
//!
//! Only the handful of members that are text manifests are unpacked, into a directory of their own, each bounded.

use std::io::Read;
use std::path::{Component, Path, PathBuf};

use super::project::{self, Style};
use super::resolve::StaticMetadata;

/// The largest manifest in an archive that is read.
const LARGEST: u64 = 4 << 20;
/// How much of a compressed archive is gone through in search of its manifests.
const LARGEST_ARCHIVE: u64 = 4 << 30;
/// How many members an archive may have.
const MOST_MEMBERS: usize = 500_000;

/// What is known of a source distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SourceFacts {
    /// What it requires at run time.
    pub metadata: StaticMetadata,
    /// What its build back end requires.
    pub build_requires: Vec<String>,
}

/// Why an archive does not tell.
#[derive(Debug, thiserror::Error)]
pub(super) enum SdistError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("it is no .tar.gz, .tar.xz or .zip")]
    Format,
    #[error("{0}")]
    Hostile(String),
    #[error("{0}")]
    Unread(String),
}

/// Reads the source distribution at `path`, whose file name is `name` (the path in the cache has none).
pub(super) fn read(path: &Path, name: &str) -> Result<SourceFacts, SdistError> {
    let directory = tempfile::tempdir()?;
    unpack(path, name, directory.path())?;
    let manifests = directory.path();
    let project = project::read_archive(manifests).map_err(|error| SdistError::Unread(error.to_string()))?;
    let build_requires = match &project {
        Some(project) => project.build_system.requires.clone(),
        None => vec!["setuptools>=40.8.0".to_owned()],
    };
    let package_info = read_text(&manifests.join("PKG-INFO"))?.map(|text| Headers::parse(&text));
    let metadata = metadata(manifests, package_info.as_ref(), project.as_ref())?;
    Ok(SourceFacts { metadata, build_requires })
}

/// Name and version, as far as its metadata or a manifest of the source distribution at `path` says them.
pub(super) fn identity(path: &Path, name: &str) -> Result<(Option<String>, Option<String>), SdistError> {
    let directory = tempfile::tempdir()?;
    unpack(path, name, directory.path())?;
    if let Some(text) = read_text(&directory.path().join("PKG-INFO"))? {
        let info = Headers::parse(&text);
        return Ok((info.first("name"), info.first("version")));
    }
    let project = project::read_archive(directory.path()).map_err(|error| SdistError::Unread(error.to_string()))?;
    Ok(project.map_or((None, None), |project| (Some(project.name).filter(|name| !name.is_empty()), project.version)))
}

fn metadata(
    manifests: &Path,
    package_info: Option<&Headers>,
    project: Option<&project::Project>,
) -> Result<StaticMetadata, SdistError> {
    if let Some(info) = package_info.filter(|info| info.is_final()) {
        return Ok(info.metadata());
    }
    let requires_python = project.and_then(|project| project.requires_python.clone());
    let of_project = |project: &project::Project| {
        let mut requires_dist: Vec<String> = project.dependencies.iter().map(|line| line.requirement.clone()).collect();
        for (extra, requirements) in &project.optional_dependencies {
            requires_dist.extend(requirements.iter().filter_map(|text| with_extra(text, extra)));
        }
        let extras = project.optional_dependencies.keys().cloned().collect();
        StaticMetadata { requires_dist, extras, requires_python: requires_python.clone() }
    };
    let readable = project.filter(|project| !project.unread.iter().any(|line| speaks_of_requirements(line)));
    if let Some(project) = readable.filter(|project| project.style == Style::Project) {
        return Ok(of_project(project));
    }
    let egg_info = manifests.join("egg-info");
    if egg_info.is_dir() {
        let text = read_text(&egg_info.join("requires.txt"))?.unwrap_or_default();
        let mut facts = egg_requirements(&text);
        facts.requires_python = package_info.and_then(|info| info.first("requires-python")).or(requires_python);
        return Ok(facts);
    }
    if let Some(info) = package_info.filter(|info| !info.all("requires-dist").is_empty()) {
        return Ok(info.metadata());
    }
    match (readable, project) {
        (Some(project), _) => Ok(of_project(project)),
        (None, Some(project)) => {
            let line = project.unread.iter().find(|line| speaks_of_requirements(line)).cloned().unwrap_or_default();
            Err(SdistError::Unread(format!("its requirements cannot be read without running its code ({line})")))
        }
        (None, None) => Err(SdistError::Unread("it has no manifest that says what it requires".to_owned())),
    }
}

fn speaks_of_requirements(line: &str) -> bool {
    ["install_requires", "extras_require", "dependencies", "setup()"].iter().any(|word| line.contains(word))
}

/// `name>=1; marker` as it reads under an extra.
fn with_extra(text: &str, extra: &str) -> Option<String> {
    let (requirement, marker) = match text.split_once(';') {
        Some((requirement, marker)) => (requirement.trim(), format!("({}) and ", marker.trim())),
        None => (text.trim(), String::new()),
    };
    (!requirement.is_empty()).then(|| format!("{requirement} ; {marker}extra == '{extra}'"))
}

/// setuptools' `requires.txt`: lines under no heading, `[extra]`, `[:marker]`, `[extra:marker]`.
pub(super) fn egg_requirements(text: &str) -> StaticMetadata {
    let mut facts = StaticMetadata::default();
    let (mut extra, mut marker) = (String::new(), String::new());
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(heading) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let (name, condition) = heading.split_once(':').unwrap_or((heading, ""));
            extra = name.to_owned();
            marker = condition.to_owned();
            if !extra.is_empty() && !facts.extras.contains(&extra) {
                facts.extras.push(extra.clone());
            }
            continue;
        }
        let conditional = if marker.is_empty() { line.to_owned() } else { format!("{line} ; {marker}") };
        if extra.is_empty() {
            facts.requires_dist.push(conditional);
        } else {
            facts.requires_dist.extend(with_extra(&conditional, &extra));
        }
    }
    facts
}

/// The headers of PKG-INFO or METADATA (core metadata are RFC 822 headers; the body is the description).
pub(super) struct Headers(Vec<(String, String)>);

impl Headers {
    /// Reads the headers of `text`.
    pub(super) fn parse(text: &str) -> Self {
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in text.lines() {
            if line.is_empty() {
                break;
            }
            if line.starts_with([' ', '\t']) {
                if let Some((_, value)) = headers.last_mut() {
                    value.push(' ');
                    value.push_str(line.trim());
                }
            } else if let Some((key, value)) = line.split_once(':') {
                headers.push((key.trim().to_lowercase(), value.trim().to_owned()));
            }
        }
        Self(headers)
    }

    pub(super) fn all(&self, key: &str) -> Vec<String> {
        self.0.iter().filter(|(name, _)| name == key).map(|(_, value)| value.clone()).collect()
    }

    pub(super) fn first(&self, key: &str) -> Option<String> {
        self.all(key).into_iter().next()
    }

    pub(super) fn metadata(&self) -> StaticMetadata {
        StaticMetadata {
            requires_dist: self.all("requires-dist"),
            extras: self.all("provides-extra"),
            requires_python: self.first("requires-python"),
        }
    }

    /// Whether the requirements in it are those that a build would give (PEP 643).
    pub(super) fn is_final(&self) -> bool {
        let version = self.first("metadata-version").unwrap_or_default();
        let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        let moving = |key: &str| self.all("dynamic").iter().any(|value| value.eq_ignore_ascii_case(key));
        version >= (2, 2) && !moving("requires-dist") && !moving("provides-extra") && !moving("requires-python")
    }
}

fn read_text(path: &Path) -> Result<Option<String>, SdistError> {
    match fs_err::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Where a member of the archive goes: manifests beside its first directory, egg-info's requirements.
fn destination(member: &Path) -> Option<PathBuf> {
    let parts: Vec<&str> = member
        .components()
        .filter(|part| !matches!(part, Component::CurDir))
        .map(|part| match part {
            Component::Normal(name) => name.to_str(),
            _ => None,
        })
        .collect::<Option<_>>()?;
    match parts.as_slice() {
        [_, file @ ("PKG-INFO" | "pyproject.toml" | "setup.py" | "setup.cfg")] => Some(PathBuf::from(file)),
        [_, middle @ .., egg, file @ ("requires.txt" | "SOURCES.txt" | "PKG-INFO")]
            if egg.ends_with(".egg-info") && middle.len() <= 1 =>
        {
            Some(Path::new("egg-info").join(file))
        }
        _ => None,
    }
}

/// Unpacks the manifests of the archive into `directory`.
fn unpack(path: &Path, name: &str, directory: &Path) -> Result<(), SdistError> {
    let file = fs_err::File::open(path)?;
    let bounded = |reader: Box<dyn Read>| reader.take(LARGEST_ARCHIVE);
    if name.ends_with(".tar.gz") || name.ends_with(".tgz") {
        unpack_tar(bounded(Box::new(flate2::read::MultiGzDecoder::new(std::io::BufReader::new(file)))), directory)
    } else if name.ends_with(".tar.xz") {
        unpack_tar(bounded(Box::new(liblzma::read::XzDecoder::new(file))), directory)
    } else if name.ends_with(".zip") {
        unpack_zip(file, directory)
    } else {
        Err(SdistError::Format)
    }
}

fn unpack_tar(reader: impl Read, directory: &Path) -> Result<(), SdistError> {
    let mut archive = tar::Archive::new(reader);
    for (number, entry) in archive.entries()?.enumerate() {
        if number >= MOST_MEMBERS {
            return Err(SdistError::Hostile(format!("it has more than {MOST_MEMBERS} members")));
        }
        let entry = entry?;
        if entry.header().entry_type().is_file() {
            let member = entry.path()?.into_owned();
            if let Some(destination) = destination(&member) {
                keep(entry, &member, &directory.join(destination))?;
            }
        }
    }
    Ok(())
}

fn unpack_zip(file: fs_err::File, directory: &Path) -> Result<(), SdistError> {
    let broken = |error: zip::result::ZipError| SdistError::Hostile(error.to_string());
    let mut archive = zip::ZipArchive::new(file).map_err(broken)?;
    for index in 0..archive.len().min(MOST_MEMBERS) {
        let entry = archive.by_index(index).map_err(broken)?;
        let member = PathBuf::from(entry.name().map_err(broken)?.as_ref());
        if let Some(destination) = destination(&member).filter(|_| entry.is_file()) {
            keep(entry, &member, &directory.join(destination))?;
        }
    }
    Ok(())
}

fn keep(entry: impl Read, member: &Path, destination: &Path) -> Result<(), SdistError> {
    let mut bytes = Vec::new();
    entry.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(SdistError::Hostile(format!("its {} is larger than {LARGEST} bytes", member.display())));
    }
    if let Some(parent) = destination.parent() {
        fs_err::create_dir_all(parent)?;
    }
    fs_err::write(destination, bytes)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(files: &[(&str, &str)]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let encoder = flate2::write::GzEncoder::new(file.reopen().unwrap(), flate2::Compression::fast());
        let mut builder = tar::Builder::new(encoder);
        for (name, text) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        builder.into_inner().unwrap().finish().unwrap();
        file
    }

    fn requires(files: &[(&str, &str)]) -> Vec<String> {
        read(archive(files).path(), "x-1.tar.gz").unwrap().metadata.requires_dist
    }

    #[test]
    fn metadata_of_version_2_2_are_final_unless_dynamic() {
        let info = "Metadata-Version: 2.2\nName: x\nVersion: 1\nRequires-Dist: flask>=3\nRequires-Dist: six ; extra == 'y'\nProvides-Extra: y\n\nRequires-Dist: no\n";
        assert_eq!(requires(&[("x-1/PKG-INFO", info)]), ["flask>=3", "six ; extra == 'y'"]);
        let moving = info.replace("Version: 1", "Version: 1\nDynamic: Requires-Dist");
        let egg = "six\n\n[y]\na\n\n[y:python_version<'3']\nb\n\n[:os_name=='nt']\nc\n";
        assert_eq!(
            requires(&[("x-1/PKG-INFO", &moving), ("x-1/src/x.egg-info/requires.txt", egg)]),
            ["six", "a ; extra == 'y'", "b ; (python_version<'3') and extra == 'y'", "c ; os_name=='nt'"]
        );
    }

    #[test]
    fn an_egg_info_without_requirements_says_that_there_are_none() {
        let files =
            [("x-1/PKG-INFO", "Metadata-Version: 1.1\nName: x\nVersion: 1\n"), ("x-1/x.egg-info/SOURCES.txt", "")];
        assert!(requires(&files).is_empty());
    }

    #[test]
    fn what_says_nothing_is_an_error() {
        let error = read(archive(&[("x-1/README", "")]).path(), "x-1.tar.gz").unwrap_err();
        assert!(error.to_string().contains("no manifest"), "{error}");
        assert!(matches!(read(archive(&[]).path(), "x-1.tar.bz2"), Err(SdistError::Format)));
    }

    #[test]
    fn a_manifest_too_large_to_be_one_is_refused() {
        let large = "#".repeat(5 << 20);
        let error = read(archive(&[("x-1/setup.py", &large)]).path(), "x-1.tar.gz").unwrap_err();
        assert!(error.to_string().contains("setup.py"), "{error}");
    }
}
