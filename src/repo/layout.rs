//! Where things lie in a repository, and the file that makes a directory one.
//!
//! ```text
//! packhouse-repository.json    origin, label, key fingerprint, suites
//! key.asc  key.gpg             the certificate; never the secret key
//! index.html packages.html packages/… lists/… search/… assets/…  the site for people, unless it is not wanted
//! <origin>-<suite>.sources     what a Debian client needs, <origin>-<suite>.repo what an RPM client needs
//! apt/pool/…  apt/dists/<suite>/…  apt/snapshot/<ID>/…
//! yum/<suite>/packages/…  yum/<suite>/repodata/…  yum/snapshot/<ID>/…
//! .packhouse/                  lock, unfinished files, what each published index was made of
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::RepoError;
use super::keys::PublicKey;
use super::options::SuiteOptions;
use super::snippets;
use super::store::Store;
use super::suite::{Kind, Suite};

/// The file that makes a directory a repository.
pub const CONFIGURATION: &str = "packhouse-repository.json";
/// The version of the layout that this program writes and reads.
const FORMAT: u32 = 2;

/// What a new repository is to be.
#[derive(Debug, Clone)]
pub struct NewRepository<'a> {
    /// Who publishes it; apt's `Origin`, and the prefix of the snippets' names. It cannot change afterwards: clients
    /// ask their administrator when it does.
    pub origin: &'a str,
    /// apt's `Label`; cannot change either.
    pub label: &'a str,
    /// One line.
    pub description: &'a str,
    /// The URL under which clients will see the repository's directory; without it the snippets name the directory.
    pub url: Option<&'a str>,
    /// The certificate of the key that will sign it.
    pub key: &'a PublicKey,
}

/// A repository's own description, `packhouse-repository.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    /// The version of the layout.
    pub format: u32,
    /// apt's `Origin`.
    pub origin: String,
    /// apt's `Label`.
    pub label: String,
    /// One line.
    pub description: String,
    /// Where clients find the repository's directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The fingerprint of the key that signs.
    pub fingerprint: String,
    /// The fingerprint of the key that replaces it and signs as well until it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Whether there is a site for people: `index.html` and a page for each package.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub page: bool,
    /// The apt suites that exist, with their options.
    #[serde(default)]
    pub apt: BTreeMap<String, SuiteOptions>,
    /// The yum suites that exist, with their options.
    #[serde(default)]
    pub yum: BTreeMap<String, SuiteOptions>,
}

impl Configuration {
    /// The suites of one kind.
    pub fn of(&self, kind: Kind) -> &BTreeMap<String, SuiteOptions> {
        match kind {
            Kind::Apt => &self.apt,
            Kind::Yum => &self.yum,
        }
    }
}

fn yes() -> bool {
    true
}

/// A repository in a directory.
#[derive(Debug, Clone)]
pub struct Repository {
    pub(super) root: PathBuf,
    pub(super) configuration: Configuration,
}

/// Makes an empty repository at `path`.
pub fn init(path: &Path, new: &NewRepository<'_>) -> Result<Repository, RepoError> {
    for (text, what) in
        [(new.origin, "a repository's origin"), (new.label, "a label"), (new.description, "a description")]
    {
        check_line(text, what)?;
    }
    if snippets::slug(new.origin).is_empty() {
        let rule = "it must have at least one letter or digit (a to z, 0 to 9)";
        return Err(RepoError::InvalidWord { text: new.origin.to_owned(), what: "a repository's origin", rule });
    }
    if let Some(url) = new.url {
        let good = url::Url::parse(url).is_ok_and(|url| ["http", "https", "file"].contains(&url.scheme()));
        if !good || url.contains(char::is_whitespace) {
            let rule = "it must be an absolute http, https or file URL";
            return Err(RepoError::InvalidWord { text: url.to_owned(), what: "a repository's URL", rule });
        }
    }
    let failed = || RepoError::io("the repository could not be made");
    let new_directory = !path.exists();
    fs_err::create_dir_all(path).map_err(failed())?;
    if new_directory {
        // Clients read it, whatever the umask of who makes it.
        fs_err::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).map_err(failed())?;
    }
    let root = fs_err::canonicalize(path).map_err(failed())?;
    if new.url.is_none() && root.to_str().is_none_or(|path| path.contains(char::is_whitespace)) {
        let rule = "apt and dnf cannot be told of a key whose path has blanks; choose another place, or give a URL";
        let text = root.to_string_lossy().into_owned();
        return Err(RepoError::InvalidWord { text, what: "the place of a repository without a URL", rule });
    }
    let store = Store::at(&root);
    let _lock = store.lock(&crate::report::Silent).map_err(failed())?;
    if store.path(CONFIGURATION).exists() {
        return Err(RepoError::AlreadyARepository { path: path.to_path_buf() });
    }
    let configuration = Configuration {
        format: FORMAT,
        origin: new.origin.to_owned(),
        label: new.label.to_owned(),
        description: new.description.to_owned(),
        url: new.url.map(|url| url.trim_end_matches('/').to_owned()),
        fingerprint: new.key.fingerprint(),
        next: None,
        page: true,
        apt: BTreeMap::new(),
        yum: BTreeMap::new(),
    };
    store.make_directory(&root).map_err(failed())?;
    store.write("key.asc", new.key.armored()?.as_bytes()).map_err(failed())?;
    store.write("key.gpg", &new.key.binary()?).map_err(failed())?;
    store.barrier().map_err(failed())?;
    let repository = Repository { root, configuration };
    repository.save(&store)?;
    store.barrier().map_err(failed())?;
    Ok(repository)
}

/// Opens the repository at `path`.
pub fn open(path: &Path) -> Result<Repository, RepoError> {
    let file = path.join(CONFIGURATION);
    if !file.is_file() {
        return Err(RepoError::NotARepository { path: path.to_path_buf() });
    }
    let failed = || RepoError::io("the repository could not be opened");
    let root = fs_err::canonicalize(path).map_err(failed())?;
    let text = fs_err::read_to_string(&file).map_err(failed())?;
    let configuration: Configuration = serde_json::from_str(&text)
        .map_err(|error| RepoError::BadState { path: file.clone(), reason: error.to_string() })?;
    if configuration.format != FORMAT {
        let reason = format!("its format is {}, this program knows {FORMAT}", configuration.format);
        return Err(RepoError::BadState { path: file, reason });
    }
    Ok(Repository { root, configuration })
}

impl Repository {
    /// Its directory, absolute.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Its description.
    pub fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// Its suites of both kinds, in order.
    pub fn suites(&self) -> Vec<Suite> {
        let named = |kind, suites: &BTreeMap<String, SuiteOptions>| {
            suites.keys().map(|name| Suite::of(kind, name)).collect::<Vec<_>>()
        };
        [named(Kind::Apt, &self.configuration.apt), named(Kind::Yum, &self.configuration.yum)].concat()
    }

    /// The options of a suite; the usual ones when there is no such suite.
    pub fn options(&self, suite: &Suite) -> SuiteOptions {
        self.configuration.of(suite.kind).get(&suite.name).cloned().unwrap_or_default()
    }

    /// Changes the options of a suite, which is added when it is not there. [`Repository::save`] makes it last.
    pub(super) fn set_options(&mut self, suite: &Suite, options: SuiteOptions) {
        let suites = match suite.kind {
            Kind::Apt => &mut self.configuration.apt,
            Kind::Yum => &mut self.configuration.yum,
        };
        suites.insert(suite.name.clone(), options);
    }

    /// Says whether the repository is to have a site.
    pub fn set_page(&mut self, page: bool, reporter: &dyn crate::report::Reporter) -> Result<(), RepoError> {
        if self.configuration.page == page {
            return Ok(());
        }
        let failed = || RepoError::io("the repository could not be written");
        let store = Store::at(&self.root);
        let _lock = store.lock(reporter).map_err(failed())?;
        *self = open(&self.root)?;
        self.configuration.page = page;
        self.save(&store)?;
        store.barrier().map_err(failed())
    }

    /// Writes `packhouse-repository.json`.
    pub(super) fn save(&self, store: &Store) -> Result<(), RepoError> {
        let mut text = serde_json::to_string_pretty(&self.configuration)
            .map_err(|error| RepoError::BadState { path: store.path(CONFIGURATION), reason: error.to_string() })?;
        text.push('\n');
        store.write(CONFIGURATION, text.as_bytes()).map_err(RepoError::io("the repository could not be written"))
    }
}

/// A suite's name: lower-case letters, digits, `.`, `_`, `-`.
pub(super) fn check_suite(text: &str) -> Result<(), RepoError> {
    if text == "snapshot" {
        let rule = "snapshots lie in a directory of this name";
        return Err(RepoError::InvalidWord { text: text.to_owned(), what: "a suite's name", rule });
    }
    check_word(text, "a suite's name")
}

/// A component's name, under the same rule.
pub(super) fn check_component(text: &str) -> Result<(), RepoError> {
    check_word(text, "a component's name")
}

fn check_word(text: &str, what: &'static str) -> Result<(), RepoError> {
    let good = text.len() <= 64
        && text.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte));
    if good {
        return Ok(());
    }
    let rule = "1 to 64 lower-case letters, digits, `.`, `_` and `-`, first a letter or a digit";
    Err(RepoError::InvalidWord { text: text.to_owned(), what, rule })
}

/// What stands on one line of a Release file.
pub(super) fn check_line(text: &str, what: &'static str) -> Result<(), RepoError> {
    if !text.is_empty() && text.len() <= 200 && text.trim() == text && !text.chars().any(char::is_control) {
        return Ok(());
    }
    let rule = "one line of 1 to 200 bytes, without blanks around it";
    Err(RepoError::InvalidWord { text: text.to_owned(), what, rule })
}
