//! The lock file of PEP 751, as packhouse reads and writes it.
//!
//! A service has two: `pylock.packhouse.toml` holds what is installed, `pylock.packhouse-build.toml` what builds those
//! of its parts that have no wheel (source distributions, the repository's own packages). Each is complete and valid by
//! itself, so other installers can use it. What packhouse must remember beyond the PEP stands in `[tool.packhouse]`.
//!
//! Wheels in it are those that one of the targets takes, no others; a source distribution is listed only where some
//! target has no wheel. The text is canonical: sorted, one form, no time stamps.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::diagnostic::{Code, Diagnose, Location, codes, io_code, io_hints};
use crate::digest::Sha256;
use crate::name::normalize;

/// File name of the lock of what is installed.
pub const LOCK_FILE: &str = "pylock.packhouse.toml";
/// File name of the lock of what builds.
pub const BUILD_LOCK_FILE: &str = "pylock.packhouse-build.toml";

/// A lock file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PyLock {
    /// `1.0`.
    pub lock_version: String,
    /// One PEP 508 marker per target.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environments: Vec<String>,
    /// The lowest Python it is for, as a version specifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires_python: Option<String>,
    /// Who wrote it.
    pub created_by: String,
    /// Sorted by name and version.
    #[serde(default)]
    pub packages: Vec<LockedPackage>,
    /// `[tool.packhouse]`.
    #[serde(default)]
    pub tool: Tools,
}

/// `[tool]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tools {
    /// Ours.
    #[serde(default)]
    pub packhouse: LockFacts,
}

/// `[tool.packhouse]`: what packhouse must know again later.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LockFacts {
    /// SHA-256 over all that the resolution depended on; another value means that the lock is out of date.
    #[serde(default)]
    pub inputs: String,
    /// The targets it serves (`debian-12/amd64`).
    #[serde(default)]
    pub targets: Vec<String>,
    /// Whether there is a lock of what builds beside this one.
    #[serde(default)]
    pub build: bool,
    /// The repository's own packages in the closure, by normalised name, with their directories relative to the root.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub local: BTreeMap<String, String>,
}

/// `[[packages]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LockedPackage {
    /// Normalised.
    pub name: String,
    /// PEP 440; absent only for directories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// When it is to be installed (PEP 508); absent: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// Its own `Requires-Python`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires_python: Option<String>,
    /// The base URL of the index it came from, without credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<String>,
    /// A file that is no index's: a URL of `vendor.txt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<LockedFile>,
    /// The source distribution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdist: Option<LockedFile>,
    /// Sorted by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wheels: Vec<LockedFile>,
}

/// A file to download.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", from = "WrittenFile")]
pub struct LockedFile {
    /// File name; packhouse always writes it.
    #[serde(default)]
    pub name: String,
    /// Without credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// By algorithm.
    pub hashes: Hashes,
}

/// A file as it stands in the text: one of the repository is named by its `path`, relative to the lock.
#[derive(Deserialize)]
struct WrittenFile {
    #[serde(default)]
    name: String,
    url: Option<String>,
    path: Option<String>,
    size: Option<u64>,
    hashes: Hashes,
}

/// How a `path` is carried until the lock's own place is known.
const RELATIVE: &str = "path:";

impl From<WrittenFile> for LockedFile {
    fn from(file: WrittenFile) -> Self {
        let url = file.url.or_else(|| Some(format!("{RELATIVE}{}", file.path?)));
        Self { name: file.name, url, size: file.size, hashes: file.hashes }
    }
}

/// `hashes`; packhouse needs SHA-256 and keeps no weaker one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hashes {
    /// SHA-256 of the file.
    pub sha256: Sha256,
}

impl LockedPackage {
    /// `flask 3.0.0`.
    pub fn title(&self) -> String {
        match &self.version {
            Some(version) => format!("{} {version}", self.name),
            None => self.name.clone(),
        }
    }

    /// All its files.
    pub fn files(&self) -> impl Iterator<Item = &LockedFile> {
        self.archive.iter().chain(&self.sdist).chain(&self.wheels)
    }
}

/// What is wrong with a lock file.
#[derive(Debug, thiserror::Error)]
pub enum LockFileError {
    /// It cannot be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It is no TOML, or not of the shape that PEP 751 gives it.
    #[error("this lock file cannot be read: {message}")]
    Syntax {
        /// What the parser says.
        message: String,
        /// Where.
        location: Box<Location>,
    },
    /// What it says cannot be.
    #[error("this lock file cannot be used: {message}")]
    Content {
        /// What is wrong.
        message: String,
        /// The file.
        location: Box<Location>,
    },
}

impl Diagnose for LockFileError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Io(error) => io_code(error),
            Self::Syntax { .. } | Self::Content { .. } => &codes::LOCK_UNUSABLE,
        }
    }

    fn location(&self) -> Option<&Location> {
        match self {
            Self::Io(_) => None,
            Self::Syntax { location, .. } | Self::Content { location, .. } => Some(location),
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Io(error) => io_hints(error),
            Self::Syntax { .. } | Self::Content { .. } => {
                vec!["remove the file and run `packhouse lock` to make it again".to_owned()]
            }
        }
    }
}

impl PyLock {
    /// Reads the lock at `path`; `None` when there is no such file. What comes back has been checked: each package has a
    /// normalised name, each file a name that is a plain file name, and a URL that is http, https or file.
    pub fn read(path: &Path) -> Result<Option<Self>, LockFileError> {
        let text = match fs_err::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        Self::parse(path, &text).map(Some)
    }

    /// Reads `text`, which stands in `path`.
    ///
    /// A file that is named by its `path` comes back with the `file:` URL of it.
    pub fn parse(path: &Path, text: &str) -> Result<Self, LockFileError> {
        let mut lock: Self = toml::from_str(text).map_err(|error| {
            let span = error.span().unwrap_or(0..0);
            let location = Box::new(Location::new(path, text, span));
            LockFileError::Syntax { message: error.message().to_owned(), location }
        })?;
        let directory = path.parent().unwrap_or(Path::new("."));
        for package in &mut lock.packages {
            for file in package.archive.iter_mut().chain(&mut package.sdist).chain(&mut package.wheels) {
                if let Some(relative) = file.url.as_deref().and_then(|url| url.strip_prefix(RELATIVE)) {
                    file.url = file_url(&directory.join(relative));
                }
            }
            for file in package.archive.iter_mut().chain(&mut package.sdist).chain(&mut package.wheels) {
                if file.name.is_empty() {
                    file.name = file.url.as_deref().and_then(file_name_of_url).unwrap_or_default();
                }
            }
        }
        match lock.fault() {
            None => Ok(lock),
            Some((message, needle)) => {
                let start = text.find(&needle).unwrap_or(0);
                let end = start + if text.contains(&needle) { needle.len() } else { 0 };
                let location = Box::new(Location::new(path, text, start..end));
                Err(LockFileError::Content { message, location })
            }
        }
    }

    /// The first thing that cannot be, and the text it stands in.
    fn fault(&self) -> Option<(String, String)> {
        if self.lock_version != "1.0" {
            let message = format!("its lock-version is `{}`, packhouse reads 1.0", self.lock_version);
            return Some((message, "lock-version".to_owned()));
        }
        for package in &self.packages {
            let name = &package.name;
            if name.is_empty() || *name != normalize(name) || !is_plain(name) {
                return Some((format!("`{name}` is not a normalised package name"), name.clone()));
            }
            if package.version.as_deref().is_some_and(|version| version.parse::<pep440_rs::Version>().is_err()) {
                let version = package.version.clone().unwrap_or_default();
                return Some((format!("`{version}` of {name} is not a version"), version));
            }
            for file in package.files() {
                if !is_plain(&file.name) {
                    return Some((format!("`{}` of {name} is not a file name", file.name), file.name.clone()));
                }
                let url = file.url.as_deref().unwrap_or_default();
                if !url.is_empty() && !["https://", "http://", "file://"].iter().any(|scheme| url.starts_with(scheme)) {
                    return Some((format!("`{url}` of {name} is not an http, https or file URL"), url.to_owned()));
                }
            }
        }
        None
    }

    /// The canonical text: one form for one content, whatever the order it was put together in.
    pub fn to_text(&self) -> String {
        self.to_text_below(Path::new(""), Path::new(""))
    }

    /// The text for a lock in `directory`: files of the repository at `root` are named relative to it, so that the text
    /// is the same in every checkout. Both absolute; with an empty `root` every file keeps its URL.
    fn to_text_below(&self, directory: &Path, root: &Path) -> String {
        let relative = |url: &str| relative_path(url, directory, root);
        let inline = |file: &LockedFile| inline(file, file.url.as_deref().and_then(relative));
        let mut packages: Vec<&LockedPackage> = self.packages.iter().collect();
        packages.sort_by(|left, right| {
            let key = |package: &LockedPackage| {
                let version = package.version.as_deref().and_then(|text| text.parse::<pep440_rs::Version>().ok());
                (package.name.clone(), version, package.marker.clone())
            };
            key(left).cmp(&key(right))
        });
        let mut text = String::from("# Written by `packhouse lock`; changes by hand are lost.\n\n");
        pair(&mut text, "lock-version", &self.lock_version);
        list(&mut text, "environments", &self.environments);
        optional(&mut text, "requires-python", self.requires_python.as_ref());
        pair(&mut text, "created-by", &self.created_by);
        if packages.is_empty() {
            text.push_str("packages = []\n");
        }
        for package in packages {
            text.push_str("\n[[packages]]\n");
            pair(&mut text, "name", &package.name);
            optional(&mut text, "version", package.version.as_ref());
            optional(&mut text, "marker", package.marker.as_ref());
            optional(&mut text, "requires-python", package.requires_python.as_ref());
            optional(&mut text, "index", package.index.as_ref().filter(|index| relative(index).is_none()));
            for (key, file) in [("archive", &package.archive), ("sdist", &package.sdist)] {
                if let Some(file) = file {
                    text.push_str(&format!("{key} = {}\n", inline(file)));
                }
            }
            if !package.wheels.is_empty() {
                let mut wheels: Vec<&LockedFile> = package.wheels.iter().collect();
                wheels.sort_by(|left, right| left.name.cmp(&right.name));
                text.push_str("wheels = [\n");
                for wheel in wheels {
                    text.push_str(&format!("    {},\n", inline(wheel)));
                }
                text.push_str("]\n");
            }
        }
        let facts = &self.tool.packhouse;
        text.push_str("\n[tool.packhouse]\n");
        pair(&mut text, "inputs", &facts.inputs);
        list(&mut text, "targets", &facts.targets);
        if facts.build {
            text.push_str("build = true\n");
        }
        if !facts.local.is_empty() {
            text.push_str("\n[tool.packhouse.local]\n");
            for (name, directory) in &facts.local {
                pair(&mut text, &quote(name), directory);
            }
        }
        text
    }

    /// Writes the canonical text to `path`, in the repository at `root`, by one rename, so that a reader sees the old
    /// lock or the new one. A file that holds the same text already is left alone. Returns whether something was written.
    pub fn write(&self, path: &Path, root: &Path) -> Result<bool, LockFileError> {
        let directory = path.parent().unwrap_or(Path::new("."));
        let text = self.to_text_below(directory, root);
        if fs_err::read(path).is_ok_and(|old| old == text.as_bytes()) {
            return Ok(false);
        }
        let named = |error: std::io::Error| std::io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let mut file = tempfile::Builder::new()
            .prefix(".packhouse-lock-")
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
            .tempfile_in(directory)
            .map_err(named)?;
        file.write_all(text.as_bytes()).map_err(named)?;
        file.as_file().sync_all().map_err(named)?;
        file.persist(path).map_err(|error| named(error.error))?;
        Ok(true)
    }
}

/// The last segment of a URL's path, decoded.
pub fn file_name_of_url(url: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    let segment = url.path_segments()?.next_back()?;
    let name = percent_encoding::percent_decode_str(segment).decode_utf8().ok()?.into_owned();
    is_plain(&name).then_some(name)
}

/// The path from `directory` to the file at a `file:` URL, if both are below `root`.
fn relative_path(url: &str, directory: &Path, root: &Path) -> Option<String> {
    if root.as_os_str().is_empty() || !url.starts_with("file:") {
        return None;
    }
    let path = url::Url::parse(url).ok()?.to_file_path().ok()?;
    let inside = path.strip_prefix(root).ok()?;
    let mut up = Vec::new();
    for ancestor in directory.ancestors().take_while(|ancestor| ancestor.starts_with(root)) {
        if let Ok(below) = path.strip_prefix(ancestor) {
            let below = below.to_str()?.to_owned();
            return Some(up.into_iter().chain([below.as_str()]).collect::<Vec<_>>().join("/"));
        }
        up.push("..");
    }
    Some(inside.to_str()?.to_owned())
}

/// The URL of a path, `.` and `..` in it resolved by name.
fn file_url(path: &Path) -> Option<String> {
    let mut plain = std::path::PathBuf::new();
    for component in std::path::absolute(path).ok()?.components() {
        match component {
            std::path::Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    Some(url::Url::from_file_path(plain).ok()?.into())
}

/// Whether `text` can be a file name: no separators, no control characters, no leading dot, not too long.
fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 255
        && !text.starts_with('.')
        && !text.chars().any(|letter| letter == '/' || letter == '\\' || letter.is_control())
}

fn quote(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn pair(text: &mut String, key: &str, value: &str) {
    text.push_str(&format!("{key} = {}\n", quote(value)));
}

fn optional(text: &mut String, key: &str, value: Option<&String>) {
    if let Some(value) = value {
        pair(text, key, value);
    }
}

fn list(text: &mut String, key: &str, values: &[String]) {
    if !values.is_empty() {
        text.push_str(&format!("{key} = [\n"));
        for value in values {
            text.push_str(&format!("    {},\n", quote(value)));
        }
        text.push_str("]\n");
    }
}

/// `{ name = …, url = …, size = …, hashes = { sha256 = … } }`, or `path` in the place of `url`.
fn inline(file: &LockedFile, path: Option<String>) -> String {
    let mut fields = vec![format!("name = {}", quote(&file.name))];
    match (path, &file.url) {
        (Some(path), _) => fields.push(format!("path = {}", quote(&path))),
        (None, Some(url)) => fields.push(format!("url = {}", quote(url))),
        (None, None) => {}
    }
    if let Some(size) = file.size {
        fields.push(format!("size = {size}"));
    }
    fields.push(format!("hashes = {{ sha256 = \"{}\" }}", file.hashes.sha256));
    format!("{{ {} }}", fields.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> LockedFile {
        LockedFile {
            name: name.to_owned(),
            url: Some(format!("https://files.example.org/{name}")),
            size: Some(7),
            hashes: Hashes { sha256: Sha256::of(name.as_bytes()) },
        }
    }

    fn package(name: &str, version: &str) -> LockedPackage {
        LockedPackage {
            name: name.to_owned(),
            version: Some(version.to_owned()),
            marker: Some("python_version == \"3.11\"".to_owned()),
            requires_python: None,
            index: Some("https://index.example.org/simple".to_owned()),
            archive: None,
            sdist: None,
            wheels: vec![file(&format!("{name}-{version}-py3-none-any.whl")), file("a-1-py3-none-any.whl")],
        }
    }

    fn lock() -> PyLock {
        PyLock {
            lock_version: "1.0".to_owned(),
            environments: vec!["python_version == '3.11'".to_owned()],
            requires_python: Some(">=3.11".to_owned()),
            created_by: "packhouse".to_owned(),
            packages: vec![package("beta", "1.10"), package("beta", "1.9"), package("alpha", "2")],
            tool: Tools {
                packhouse: LockFacts {
                    inputs: "00".to_owned(),
                    targets: vec!["debian-12/amd64".to_owned()],
                    build: true,
                    local: [("acme.common".to_owned(), "libs/\"common\"".to_owned())].into(),
                },
            },
        }
    }

    #[test]
    fn what_is_written_is_read_again_and_sorted() {
        let text = lock().to_text();
        let read = PyLock::parse(Path::new("pylock.toml"), &text).unwrap();
        let order: Vec<String> = read.packages.iter().map(LockedPackage::title).collect();
        assert_eq!(order, ["alpha 2", "beta 1.9", "beta 1.10"]);
        assert_eq!(read.packages[0].wheels[0].name, "a-1-py3-none-any.whl");
        assert_eq!(read.to_text(), text);
        assert_eq!(read.tool, lock().tool);
        let empty = PyLock { packages: Vec::new(), ..lock() };
        assert_eq!(PyLock::parse(Path::new("x"), &empty.to_text()).unwrap(), empty);
    }

    #[test]
    fn a_hostile_lock_is_refused_with_the_place() {
        let good = lock().to_text();
        for (from, to, message) in [
            ("1.0", "2.0", "lock-version"),
            ("\"alpha\"", "\"Al_pha\"", "normalised"),
            ("\"alpha\"", "\"../x\"", "normalised"),
            ("name = \"a-1-py3", "name = \"../a-1-py3", "not a file name"),
            ("https://files", "ftp://files", "not an http"),
            ("version = \"2\"", "version = \"two\"", "not a version"),
            ("sha256 = \"", "sha256 = \"zz", "cannot be read"),
            ("[[packages]]", "[[packages", "cannot be read"),
        ] {
            let error = PyLock::parse(Path::new("pylock.toml"), &good.replacen(from, to, 1)).unwrap_err();
            assert!(error.to_string().contains(message), "{error}");
            assert!(error.location().is_some());
        }
    }

    #[test]
    fn writing_the_same_again_leaves_the_file_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(LOCK_FILE);
        assert!(PyLock::read(&path).unwrap().is_none());
        let root = Path::new("/nowhere");
        assert!(lock().write(&path, root).unwrap());
        assert!(!lock().write(&path, root).unwrap());
        assert_eq!(PyLock::read(&path).unwrap().unwrap().to_text(), lock().to_text());
        assert_eq!(fs_err::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_of_the_repository_is_named_relative_to_the_lock() {
        let root = tempfile::tempdir().unwrap();
        let service = root.path().join("services/api");
        fs_err::create_dir_all(&service).unwrap();
        let url = |path: &str| format!("file://{}/{path}", root.path().display());
        let mut lock = lock();
        lock.packages.truncate(1);
        lock.packages[0].index = Some(url("wheels"));
        lock.packages[0].wheels[0].url = Some(url("wheels/beta-1.10-py3-none-any.whl"));
        lock.packages[0].wheels[1].url = Some("file:///opt/wheels/a-1-py3-none-any.whl".to_owned());
        let path = service.join(LOCK_FILE);
        lock.write(&path, root.path()).unwrap();
        let text = fs_err::read_to_string(&path).unwrap();
        assert!(text.contains("path = \"../../wheels/beta-1.10-py3-none-any.whl\""), "{text}");
        assert!(!text.contains(&root.path().display().to_string()), "{text}");
        let read = PyLock::read(&path).unwrap().unwrap();
        let urls: Vec<_> = read.packages[0].wheels.iter().map(|file| file.url.clone().unwrap()).collect();
        assert_eq!(
            urls,
            ["file:///opt/wheels/a-1-py3-none-any.whl".to_owned(), url("wheels/beta-1.10-py3-none-any.whl")]
        );
    }

    #[test]
    fn a_file_without_a_name_takes_the_last_part_of_its_url() {
        assert_eq!(file_name_of_url("https://x.example/a/b%2B1.whl#sha256=0").unwrap(), "b+1.whl");
        assert_eq!(file_name_of_url("https://x.example/a/..%2Fb"), None);
        assert_eq!(file_name_of_url("https://x.example/"), None);
    }
}
