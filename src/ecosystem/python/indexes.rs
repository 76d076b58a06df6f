//! The indexes that distributions are taken from, and which of them may give which name.
//!
//! They are collected from everywhere that pip and uv look, because a team that has set up its index for those has set it
//! up for packhouse: the command's environment, the configuration files of both, the options of requirements files,
//! `[[tool.uv.index]]`; and `[[index]]` of packhouse.toml. Sources: pip's "Configuration" and "pip install" pages, uv's
//! "Package indexes" and "Environment variables" pages.
//!
//! A name that is pinned to an index is taken from it and from no other; what is not pinned to it is never taken from an
//! index with pins. Credentials are kept apart from URLs from the first moment on: what is in [`Index::url`] may be
//! printed and locked.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use globset::{Glob, GlobMatcher};
use url::Url;

use crate::config::IndexSettings;
use crate::diagnostic::{Code, Diagnose, ExitCode, Location, codes};
use crate::fetch::credentials::Keyring;
use crate::fetch::{self, Client};
use crate::name::normalize;
use crate::variables;

use super::project::Project;
use super::requirements::Placed;

/// User name and password of an index. Shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user name; often a constant such as `__token__`.
    pub username: String,
    /// The password or token.
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Credentials(…)")
    }
}

/// How an index is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexKind {
    /// The simple API (PEP 503); asked in order, the first that has a name gives all its versions.
    Simple,
    /// A directory or a page of links (`--find-links`); beside all others.
    Links,
}

/// One index.
#[derive(Debug, Clone)]
pub struct Index {
    /// The name that the user gave it, if any.
    pub name: Option<String>,
    /// Its base without credentials and without a trailing `/`; a `file:` URL for a directory.
    pub url: String,
    /// What was part of the URL, or stands in `PACKHOUSE_INDEX_<NAME>_USERNAME` and `_PASSWORD` or uv's
    /// `UV_INDEX_<NAME>_USERNAME` and `_PASSWORD`.
    pub credentials: Option<Credentials>,
    /// See [`IndexKind`].
    pub kind: IndexKind,
    /// The globs of names that are pinned to it; empty: it is asked for any name.
    pub pins: Vec<String>,
    /// Who named it, for messages.
    pub origin: String,
    /// Whether the repository names it, and not the environment or configuration of one machine.
    pub of_repository: bool,
    matchers: Vec<GlobMatcher>,
}

impl Index {
    /// Whether the normalised `name` is pinned to it.
    pub fn pins(&self, name: &str) -> bool {
        self.matchers.iter().any(|matcher| matcher.is_match(name))
    }
}

/// All indexes of one service.
#[derive(Debug, Clone, Default)]
pub struct Indexes {
    /// Those beside the default one, in the order in which they are asked.
    pub extra: Vec<Index>,
    /// The one that is asked last; `None` is uv's own default.
    pub default: Option<Index>,
    /// `--no-index`: of the simple indexes only those of packhouse.toml are asked.
    pub without_default: bool,
    /// What configuration files say of the keyring command.
    pub keyring: Option<Keyring>,
}

/// Why the indexes cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// A URL that is none.
    #[error("`{url}`, the index that {origin} names, is not an http, https or file URL")]
    Url {
        /// What was given, without credentials.
        url: String,
        /// Who named it.
        origin: String,
        /// Where.
        location: Option<Box<Location>>,
    },
    /// Two indexes claim one name.
    #[error("{name} is pinned to two indexes: {first} and {second}")]
    TwoPins {
        /// The name.
        name: String,
        /// An index.
        first: String,
        /// Another.
        second: String,
    },
    /// A glob that is none.
    #[error("`{glob}` in `packages` of the index {index} cannot be read: {reason}")]
    Glob {
        /// The glob.
        glob: String,
        /// The index's name.
        index: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A configuration file of pip or uv that cannot be read.
    #[error("cannot read the configuration file {}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl Diagnose for IndexError {
    fn code(&self) -> &'static Code {
        match self {
            Self::TwoPins { .. } => &codes::INDEX_PINNED_TWICE,
            Self::Url { .. } | Self::Glob { .. } | Self::File { .. } => &codes::INVALID_INDEX,
        }
    }

    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn location(&self) -> Option<&Location> {
        match self {
            Self::Url { location, .. } => location.as_deref(),
            _ => None,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::TwoPins { .. } => vec!["let one `packages` list of [[index]] have the name".to_owned()],
            Self::Url { .. } => vec!["write it as https://host/path/simple".to_owned()],
            _ => Vec::new(),
        }
    }
}

/// The origin of what packhouse.toml names.
const OURS: &str = "packhouse.toml";

/// What the collection reads beside the repository.
pub struct Surroundings<'a> {
    /// Environment variables by name.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// Where pip's and uv's system-wide files lie (`/etc`).
    pub system: &'a Path,
}

impl Surroundings<'_> {
    fn get(&self, name: &str) -> Option<String> {
        (self.variable)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }
}

impl Indexes {
    /// Collects the indexes of the project's settings, of `projects` (the service first) and of the surroundings.
    ///
    /// The default one is that of, in this order: requirements files, `UV_DEFAULT_INDEX`, `UV_INDEX_URL`,
    /// pyproject.toml, uv.toml, `PIP_INDEX_URL`, pip.conf. The others are asked in the order: packhouse.toml,
    /// requirements files, `UV_INDEX`, `UV_EXTRA_INDEX_URL`, pyproject.toml, uv.toml, `PIP_EXTRA_INDEX_URL`, pip.conf.
    pub fn collect(
        settings: &[IndexSettings],
        projects: &[&Project],
        around: &Surroundings<'_>,
    ) -> Result<Self, IndexError> {
        let mut found = Found {
            around,
            in_repository: true,
            extra: Vec::new(),
            default: None,
            without_default: false,
            keyring: None,
        };
        for index in settings {
            let origin = OURS.to_owned();
            let name = Some(index.name.clone());
            let entry = found.index(&index.url, name, IndexKind::Simple, &index.packages, origin, None)?;
            found.extra.push(entry);
        }
        for project in projects {
            found.requirements(project)?;
        }
        found.in_repository = false;
        found.uv_environment()?;
        found.in_repository = true;
        for project in projects {
            let path = project.directory.join("pyproject.toml");
            if let Some(table) = read_toml(&path)? {
                let uv = table.get("tool").and_then(|tool| tool.get("uv"));
                if let Some(uv) = uv {
                    found.uv_settings(uv, &path)?;
                }
            }
        }
        found.in_repository = false;
        for path in uv_files(around) {
            if let Some(table) = read_toml(&path)? {
                found.uv_settings(&table, &path)?;
            }
        }
        found.pip_environment()?;
        for path in pip_files(around) {
            found.pip_file(&path)?;
        }
        Ok(found.finish())
    }

    /// All of them, in the order in which they are asked.
    pub fn all(&self) -> impl Iterator<Item = &Index> {
        self.extra.iter().chain(&self.default)
    }

    /// The index that the normalised `name` is pinned to.
    pub fn pin_of(&self, name: &str) -> Result<Option<&Index>, IndexError> {
        let mut pinned = self.extra.iter().filter(|index| index.pins(name));
        let first = pinned.next();
        match (first, pinned.next()) {
            (Some(first), Some(second)) => {
                Err(IndexError::TwoPins { name: name.to_owned(), first: first.url.clone(), second: second.url.clone() })
            }
            (first, _) => Ok(first),
        }
    }

    /// The index whose base is `url` (credentials, trailing `/` and all that come out of a resolver ignored).
    pub fn by_url(&self, url: &str) -> Option<&Index> {
        let wanted = without_credentials(url).0;
        self.all().find(|index| index.url == wanted)
    }

    /// A client that knows the logins of all of them, beside the user's netrc and keyring.
    pub fn client(&self, offline: bool) -> Result<Client, fetch::Error> {
        let mut logins = fetch::credentials::Credentials::of_user()?;
        if let Some(keyring) = self.keyring {
            logins.configure_keyring(keyring);
        }
        for index in self.all() {
            let Ok(url) = Url::parse(&index.url) else { continue };
            if let Some(credentials) = &index.credentials {
                logins.add_login(&url, &credentials.username, &credentials.password);
            }
            if let Some(name) = &index.name {
                logins.add_index(name, url);
            }
        }
        Client::new(logins, offline)
    }

    /// Takes the logins that only the keyring has to the indexes that want them, because the resolver is given logins and
    /// asks nobody.
    pub fn ask_keyring(&mut self, client: &Client) -> Result<(), fetch::Error> {
        for index in self.extra.iter_mut().chain(&mut self.default) {
            let lacks = index.credentials.as_ref().is_none_or(|credentials| credentials.password.is_empty());
            let Ok(url) = Url::parse(&index.url) else { continue };
            if lacks
                && url.scheme() != "file"
                && let Some((username, password)) = client.keyring_login(&url)?
            {
                index.credentials = Some(Credentials { username, password });
            }
        }
        Ok(())
    }

    /// What a lock depends on, as text without credentials: the indexes that the repository names. Those of the
    /// environment and of one machine's configuration are left out, because a lock that was made behind one mirror is
    /// as good on a machine that has another: it names files by digest. Directories below `root` are relative to it.
    pub fn describe(&self, root: &Path) -> String {
        let root = Url::from_directory_path(root).map(|url| url.to_string()).unwrap_or_default();
        let shown = |index: &Index| match index.url.strip_prefix(&root) {
            Some(inside) if !root.is_empty() => inside.to_owned(),
            _ => index.url.clone(),
        };
        let ours = self.extra.iter().filter(|index| index.of_repository);
        let mut lines: Vec<String> =
            ours.map(|index| format!("extra {:?} {} {}", index.kind, shown(index), index.pins.join(" "))).collect();
        let default = self.default.iter().filter(|index| index.of_repository);
        lines.extend(default.map(|index| format!("default {}", shown(index))));
        lines.join("\n")
    }
}

struct Found<'a, 'b> {
    around: &'a Surroundings<'b>,
    in_repository: bool,
    extra: Vec<Index>,
    default: Option<Index>,
    without_default: bool,
    keyring: Option<Keyring>,
}

impl Found<'_, '_> {
    fn index(
        &self,
        url: &str,
        name: Option<String>,
        kind: IndexKind,
        pins: &[String],
        origin: String,
        place: Option<&Path>,
    ) -> Result<Index, IndexError> {
        let (url, mut credentials) = base(url, place).ok_or_else(|| IndexError::Url {
            url: redact(url),
            origin: origin.clone(),
            location: None,
        })?;
        if let (None, Some(name)) = (&credentials, &name) {
            let of = |owner: &str, what: &str| self.around.get(&format!("{owner}_INDEX_{}_{what}", shout(name)));
            credentials = ["PACKHOUSE", "UV"].into_iter().find_map(|owner| {
                match (of(owner, "USERNAME"), of(owner, "PASSWORD")) {
                    (None, None) => None,
                    (username, password) => Some(Credentials {
                        username: username.unwrap_or_default(),
                        password: password.unwrap_or_default(),
                    }),
                }
            });
        }
        let mut matchers = Vec::new();
        for pin in pins {
            let glob = Glob::new(&normalize_glob(pin)).map_err(|error| IndexError::Glob {
                glob: pin.clone(),
                index: name.clone().unwrap_or_default(),
                reason: error.kind().to_string(),
            })?;
            matchers.push(glob.compile_matcher());
        }
        let of_repository = self.in_repository;
        Ok(Index { name, url, credentials, kind, pins: pins.to_vec(), origin, of_repository, matchers })
    }

    fn add(&mut self, url: &str, kind: IndexKind, origin: &str, place: Option<&Path>) -> Result<(), IndexError> {
        let entry = self.index(url, None, kind, &[], origin.to_owned(), place)?;
        self.extra.push(entry);
        Ok(())
    }

    fn set_default(&mut self, url: &str, name: Option<String>, origin: &str) -> Result<(), IndexError> {
        if self.default.is_none() {
            self.default = Some(self.index(url, name, IndexKind::Simple, &[], origin.to_owned(), None)?);
        }
        Ok(())
    }

    fn requirements(&mut self, project: &Project) -> Result<(), IndexError> {
        let options = &project.options;
        let origin = |placed: &Placed<String>| format!("{}:{}", placed.file.display(), placed.line);
        let located = |error: IndexError, placed: &Placed<String>| match error {
            IndexError::Url { url, origin, .. } => {
                let text = fs_err::read_to_string(&placed.file).unwrap_or_default();
                let location = Location::line(&placed.file, redact(&text), placed.line);
                IndexError::Url { url, origin, location: Some(Box::new(location)) }
            }
            other => other,
        };
        if let Some(placed) = &options.index_url {
            self.set_default(&placed.value, None, &origin(placed)).map_err(|error| located(error, placed))?;
        }
        for placed in &options.extra_index_urls {
            self.add(&placed.value, IndexKind::Simple, &origin(placed), None)
                .map_err(|error| located(error, placed))?;
        }
        for placed in &options.find_links {
            let directory = placed.file.parent();
            self.add(&placed.value, IndexKind::Links, &origin(placed), directory)
                .map_err(|error| located(error, placed))?;
        }
        self.without_default |= options.no_index.is_some();
        Ok(())
    }

    fn uv_environment(&mut self) -> Result<(), IndexError> {
        for variable in [variables::UV_DEFAULT_INDEX, variables::UV_INDEX_URL] {
            if let Some(value) = self.around.get(variable) {
                let (name, url) = named(&value);
                self.set_default(url, name, variable)?;
            }
        }
        for variable in [variables::UV_INDEX, variables::UV_EXTRA_INDEX_URL] {
            for value in self.around.get(variable).unwrap_or_default().split_whitespace() {
                let (name, url) = named(value);
                let entry = self.index(url, name, IndexKind::Simple, &[], variable.to_owned(), None)?;
                self.extra.push(entry);
            }
        }
        for value in self.around.get(variables::UV_FIND_LINKS).unwrap_or_default().split([',', ' ']) {
            if !value.is_empty() {
                self.add(value, IndexKind::Links, variables::UV_FIND_LINKS, None)?;
            }
        }
        Ok(())
    }

    /// `uv.toml`, or `[tool.uv]`.
    fn uv_settings(&mut self, table: &toml::Value, path: &Path) -> Result<(), IndexError> {
        let origin = path.display().to_string();
        let directory = path.parent();
        let text = |value: &toml::Value, key: &str| value.get(key).and_then(toml::Value::as_str).map(str::to_owned);
        let flag = |value: &toml::Value, key: &str| value.get(key).and_then(toml::Value::as_bool).unwrap_or(false);
        let list = |value: &toml::Value, key: &str| -> Vec<toml::Value> {
            value.get(key).and_then(toml::Value::as_array).cloned().unwrap_or_default()
        };
        // The older settings, also below `[pip]`.
        for table in [Some(table), table.get("pip")].into_iter().flatten() {
            if let Some(url) = text(table, "index-url") {
                self.set_default(&url, None, &origin)?;
            }
            for (key, kind) in [("extra-index-url", IndexKind::Simple), ("find-links", IndexKind::Links)] {
                for url in list(table, key).iter().filter_map(toml::Value::as_str) {
                    self.add(url, kind, &origin, directory)?;
                }
            }
            self.without_default |= flag(table, "no-index");
            if let Some(provider) = text(table, "keyring-provider").filter(|_| !self.in_repository) {
                self.keyring.get_or_insert(Keyring::of_provider(&provider));
            }
        }
        for index in list(table, "index") {
            let Some(url) = text(&index, "url") else { continue };
            let name = text(&index, "name");
            // An explicit index gives only what `[tool.uv.sources]` pins to it.
            if flag(&index, "explicit") {
                let pinned: Vec<String> = pinned_by_sources(table, name.as_deref());
                if !pinned.is_empty() {
                    let entry = self.index(&url, name, IndexKind::Simple, &pinned, origin.clone(), directory)?;
                    self.extra.push(entry);
                }
            } else if flag(&index, "default") {
                self.set_default(&url, name, &origin)?;
            } else {
                let flat = text(&index, "format").as_deref() == Some("flat");
                let kind = if flat { IndexKind::Links } else { IndexKind::Simple };
                let entry = self.index(&url, name, kind, &[], origin.clone(), directory)?;
                self.extra.push(entry);
            }
        }
        Ok(())
    }

    fn pip_environment(&mut self) -> Result<(), IndexError> {
        if let Some(url) = self.around.get(variables::PIP_INDEX_URL) {
            self.set_default(&url, None, variables::PIP_INDEX_URL)?;
        }
        for (variable, kind) in
            [(variables::PIP_EXTRA_INDEX_URL, IndexKind::Simple), (variables::PIP_FIND_LINKS, IndexKind::Links)]
        {
            for url in self.around.get(variable).unwrap_or_default().split_whitespace() {
                self.add(url, kind, variable, None)?;
            }
        }
        self.without_default |= self.around.get(variables::PIP_NO_INDEX).is_some_and(|value| is_true(&value));
        Ok(())
    }

    fn pip_file(&mut self, path: &Path) -> Result<(), IndexError> {
        let text = match fs_err::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(IndexError::File { path: path.to_path_buf(), reason: error.to_string() }),
        };
        let origin = path.display().to_string();
        let options = PipOptions::read(&text);
        if let Some(url) = options.get("index-url") {
            self.set_default(url.trim(), None, &origin)?;
        }
        for (key, kind) in [("extra-index-url", IndexKind::Simple), ("find-links", IndexKind::Links)] {
            for url in options.get(key).unwrap_or_default().split_whitespace() {
                self.add(url, kind, &origin, None)?;
            }
        }
        self.without_default |= options.get("no-index").is_some_and(is_true);
        if let Some(provider) = options.get("keyring-provider") {
            self.keyring.get_or_insert(Keyring::of_provider(provider));
        }
        Ok(())
    }

    /// Each URL once: the first that named it decides the order, one with pins or credentials its kind.
    fn finish(self) -> Indexes {
        let mut extra: Vec<Index> = Vec::new();
        for index in self.extra {
            match extra.iter_mut().find(|known| known.url == index.url) {
                None => extra.push(index),
                Some(known) => {
                    if known.credentials.is_none() {
                        known.credentials = index.credentials;
                    }
                    known.of_repository |= index.of_repository;
                    known.pins.extend(index.pins);
                    known.matchers.extend(index.matchers);
                }
            }
        }
        let default = if self.without_default { None } else { self.default };
        if self.without_default {
            extra.retain(|index| index.kind == IndexKind::Links || index.origin == OURS);
        }
        if let Some(default) = &default {
            extra.retain(|index| index.url != default.url || !index.pins.is_empty());
        }
        Indexes { extra, default, without_default: self.without_default, keyring: self.keyring }
    }
}

/// Normalised names that `[tool.uv.sources]` takes from the index `index`.
fn pinned_by_sources(table: &toml::Value, index: Option<&str>) -> Vec<String> {
    let Some(sources) = table.get("sources").and_then(toml::Value::as_table) else { return Vec::new() };
    let names_it = |source: &toml::Value| index.is_some() && source.get("index").and_then(toml::Value::as_str) == index;
    sources
        .iter()
        .filter(|(_, source)| names_it(source) || source.as_array().is_some_and(|list| list.iter().any(names_it)))
        .map(|(name, _)| normalize(name))
        .collect()
}

/// pip.conf: what `[global]` says, and `[install]` over it.
struct PipOptions(Vec<(String, String, String)>);

impl PipOptions {
    /// Reads Python's `configparser` form as far as pip's own files use it: sections, `key = value` or `key: value`,
    /// lines that begin with a blank continue the value, `#` and `;` begin a comment.
    fn read(text: &str) -> Self {
        let mut options: Vec<(String, String, String)> = Vec::new();
        let mut section = String::new();
        for line in text.lines() {
            let bare = line.trim();
            if bare.is_empty() || bare.starts_with(['#', ';']) {
                continue;
            }
            if let Some(name) = bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                section = name.trim().to_lowercase();
            } else if line.starts_with([' ', '\t']) && options.last().is_some_and(|last| last.0 == section) {
                if let Some((_, _, value)) = options.last_mut() {
                    value.push('\n');
                    value.push_str(bare);
                }
            } else if let Some((key, value)) = bare.split_once(['=', ':']) {
                let key = key.trim().to_lowercase().replace('_', "-");
                options.push((section.clone(), key, value.trim().to_owned()));
            }
        }
        Self(options)
    }

    fn get(&self, key: &str) -> Option<&str> {
        let of = |section: &str| {
            let found = self.0.iter().rev().find(|(other, name, _)| other == section && name == key);
            found.map(|(_, _, value)| value.as_str())
        };
        of("install").or_else(|| of("global")).filter(|value| !value.trim().is_empty())
    }
}

fn is_true(value: &str) -> bool {
    matches!(value.trim().to_lowercase().as_str(), "1" | "true" | "yes" | "on")
}

/// uv's files, the user's before the system's.
fn uv_files(around: &Surroundings<'_>) -> Vec<PathBuf> {
    if around.get(variables::UV_NO_CONFIG).is_some_and(|value| is_true(&value)) {
        return Vec::new();
    }
    if let Some(file) = around.get(variables::UV_CONFIG_FILE) {
        return vec![PathBuf::from(file)];
    }
    let user = around
        .get(variables::XDG_CONFIG_HOME)
        .map(PathBuf::from)
        .or_else(|| around.get(variables::HOME).map(|home| Path::new(&home).join(".config")));
    let mut files: Vec<PathBuf> = user.map(|directory| directory.join("uv/uv.toml")).into_iter().collect();
    files.push(around.system.join("uv/uv.toml"));
    files
}

/// pip's files, the strongest first.
fn pip_files(around: &Surroundings<'_>) -> Vec<PathBuf> {
    let mut files = Vec::new();
    match around.get(variables::PIP_CONFIG_FILE) {
        // pip: os.devnull turns all files off.
        Some(file) if file == "/dev/null" => return files,
        Some(file) => files.push(PathBuf::from(file)),
        None => {}
    }
    let home = around.get(variables::HOME).map(PathBuf::from);
    let user = around
        .get(variables::XDG_CONFIG_HOME)
        .map(PathBuf::from)
        .or_else(|| home.as_ref().map(|home| home.join(".config")));
    files.extend(user.map(|directory| directory.join("pip/pip.conf")));
    files.extend(home.map(|home| home.join(".pip/pip.conf")));
    files.push(around.system.join("pip.conf"));
    files
}

fn read_toml(path: &Path) -> Result<Option<toml::Value>, IndexError> {
    let failed = |reason: String| IndexError::File { path: path.to_path_buf(), reason };
    match fs_err::read_to_string(path) {
        Ok(text) => {
            let table: toml::Table =
                text.parse().map_err(|error: toml::de::Error| failed(error.message().to_owned()))?;
            Ok(Some(toml::Value::Table(table)))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// `name=url`, as `UV_INDEX` and `UV_DEFAULT_INDEX` take it.
fn named(value: &str) -> (Option<String>, &str) {
    match value.split_once('=') {
        Some((name, url)) if name.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter)) => {
            (Some(name.to_owned()), url)
        }
        _ => (None, value),
    }
}

/// A URL or a path (relative to `place`) as a base without credentials, and the credentials.
fn base(text: &str, place: Option<&Path>) -> Option<(String, Option<Credentials>)> {
    if !text.contains("://") {
        let path = match place {
            Some(place) => place.join(text),
            None => std::path::absolute(text).ok()?,
        };
        return Some((Url::from_file_path(path).ok()?.as_str().trim_end_matches('/').to_owned(), None));
    }
    let url = Url::parse(text).ok()?;
    if !["http", "https", "file"].contains(&url.scheme()) {
        return None;
    }
    Some(without_credentials(text))
}

/// The URL without user name, password and trailing `/`, and what was taken out. A text that is no URL stays as it is.
pub fn without_credentials(text: &str) -> (String, Option<Credentials>) {
    let Ok(mut url) = Url::parse(text) else { return (text.trim_end_matches('/').to_owned(), None) };
    let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let credentials = (!url.username().is_empty() || url.password().is_some()).then(|| Credentials {
        username: decode(url.username()),
        password: decode(url.password().unwrap_or_default()),
    });
    // Both fail only for URLs that cannot have credentials.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    (url.as_str().trim_end_matches('/').to_owned(), credentials)
}

/// `text` with the credentials of every URL in it replaced by `***`.
pub fn redact(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        clean.push_str(before);
        clean.push_str("://");
        let end =
            after.find(|letter: char| letter.is_whitespace() || "/?#'\"`<>)".contains(letter)).unwrap_or(after.len());
        let (authority, tail) = after.split_at_checked(end).unwrap_or((after, ""));
        match authority.rsplit_once('@') {
            Some((_, host)) => {
                clean.push_str("***@");
                clean.push_str(host);
            }
            None => clean.push_str(authority),
        }
        rest = tail;
    }
    clean.push_str(rest);
    clean
}

/// `my.index` is `MY_INDEX` in the names of variables.
fn shout(name: &str) -> String {
    name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' }).collect()
}

/// A glob over names, normalised as names are.
fn normalize_glob(glob: &str) -> String {
    glob.to_lowercase().replace(['_', '.'], "-")
}

/// The words of `text` that are normalised names of a distribution: what a resolver's message may speak of.
pub fn names_in(text: &str) -> BTreeSet<String> {
    text.split(|letter: char| !(letter.is_ascii_alphanumeric() || "-_.".contains(letter)))
        .map(|word| word.trim_matches(['.', '-', '_']))
        .filter(|word| !word.is_empty())
        .map(normalize)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn collect(settings: &[IndexSettings], variables: &[(&str, &str)], system: &Path) -> Result<Indexes, IndexError> {
        let variables: BTreeMap<String, String> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let variable = |name: &str| variables.get(name).cloned();
        Indexes::collect(settings, &[], &Surroundings { variable: &variable, system })
    }

    fn pinned(url: &str, packages: &[&str]) -> IndexSettings {
        IndexSettings {
            name: "inter.nal".to_owned(),
            url: url.to_owned(),
            packages: packages.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    #[test]
    fn indexes_come_from_the_environment_and_the_files_of_pip_and_uv_in_order() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path();
        fs_err::create_dir_all(root.join(".config/uv")).unwrap();
        fs_err::create_dir_all(root.join(".config/pip")).unwrap();
        fs_err::write(root.join(".config/uv/uv.toml"), "extra-index-url = [\"https://uv.example/simple/\"]\n[[index]]\nname='d'\nurl='https://uvdefault.example/simple'\ndefault=true\n").unwrap();
        fs_err::write(root.join(".config/pip/pip.conf"), "[global]\nindex_url = https://pipdefault.example/simple\nextra-index-url =\n    https://one.example/simple\n    # no\n    https://two.example/simple\n[install]\nfind-links: /srv/wheels\n").unwrap();
        let home = root.display().to_string();
        let found = collect(
            &[pinned("https://internal.example/simple/", &["acme-*"])],
            &[
                ("HOME", &home),
                ("UV_INDEX", "x=https://x.example/simple"),
                ("PIP_EXTRA_INDEX_URL", "https://two.example/simple"),
            ],
            &root.join("etc"),
        )
        .unwrap();
        let urls: Vec<&str> = found.extra.iter().map(|index| index.url.as_str()).collect();
        assert_eq!(
            urls,
            [
                "https://internal.example/simple",
                "https://x.example/simple",
                "https://uv.example/simple",
                "https://two.example/simple",
                "https://one.example/simple",
                "file:///srv/wheels",
            ]
        );
        assert_eq!(found.default.unwrap().url, "https://uvdefault.example/simple");
    }

    #[test]
    fn credentials_are_split_off_and_never_shown() {
        let found = collect(
            &[pinned("https://internal.example/simple", &["acme-*"])],
            &[
                ("PIP_INDEX_URL", "https://me:s3cr%40t@index.example/simple/"),
                ("UV_INDEX_INTER_NAL_USERNAME", "robot"),
                ("UV_INDEX_INTER_NAL_PASSWORD", "t0ken"),
            ],
            Path::new("/nonexistent"),
        )
        .unwrap();
        let shown = format!("{found:?} {}", found.describe(Path::new("/")));
        assert!(!shown.contains("s3cr") && !shown.contains("t0ken"), "{shown}");
        let default = found.default.clone().unwrap();
        assert_eq!(default.credentials.unwrap().password, "s3cr@t");
        assert_eq!(found.extra[0].credentials.clone().unwrap().username, "robot");
        assert_eq!(found.by_url("https://index.example/simple/").unwrap().url, default.url);
        assert_eq!(
            redact("at https://me:p@ss@x.example/a and http://y.example/b@c"),
            "at https://***@x.example/a and http://y.example/b@c"
        );
    }

    #[test]
    fn a_pinned_name_belongs_to_one_index() {
        let indexes = collect(
            &[pinned("https://a.example/simple", &["Acme_*", "six"]), pinned("https://b.example/simple", &["acme-b"])],
            &[],
            Path::new("/nonexistent"),
        )
        .unwrap();
        assert_eq!(indexes.pin_of("acme-a").unwrap().unwrap().url, "https://a.example/simple");
        assert!(indexes.pin_of("flask").unwrap().is_none());
        assert!(matches!(indexes.pin_of("acme-b"), Err(IndexError::TwoPins { .. })));
    }

    #[test]
    fn what_is_no_index_is_refused_without_its_password() {
        let error =
            collect(&[], &[("PIP_INDEX_URL", "ftp://me:pw@x.example/simple")], Path::new("/nonexistent")).unwrap_err();
        assert!(error.to_string().contains("PIP_INDEX_URL") && !error.to_string().contains("pw@"), "{error}");
        let home = tempfile::tempdir().unwrap();
        fs_err::write(home.path().join("pip.conf"), "[global]\nno-index = yes\nindex-url = https://x.example\n")
            .unwrap();
        let none = collect(&[], &[], home.path()).unwrap();
        assert!(none.without_default && none.default.is_none());
    }
}
