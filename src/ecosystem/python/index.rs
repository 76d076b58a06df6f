//! Package indexes: which files there are of a project.
//!
//! Sources: the simple repository API (<https://packaging.python.org/en/latest/specifications/simple-repository-api/>,
//! which holds PEP 503, 592, 691 and 700). JSON is asked for first and HTML is accepted, because many mirrors have only
//! that and some send it whatever is asked for. `--find-links` is a page or a directory of the same kind of links, of all
//! projects together.
//!
//! A page is another's text: it is read up to a limit, and what is on it that cannot be a file of the project (other
//! names, other kinds, links that lead nowhere) is passed over, as pip and uv do.

use std::collections::BTreeMap;
use std::str::FromStr as _;
use std::sync::{Arc, Mutex, PoisonError};

use pep440_rs::Version;
use serde::Deserialize;
use url::Url;

use super::html;
use super::indexes::{Index, IndexError, IndexKind, Indexes};
use crate::diagnostic::{Code, Diagnose, ExitCode, Location, codes};
use crate::digest::Sha256;
use crate::fetch::{self, Client, address};
use crate::name::normalize;

/// The index that pip and uv ask when none is configured.
pub(super) const DEFAULT_INDEX: &str = "https://pypi.org/simple";
/// The names under which locks know it.
pub(super) const DEFAULT_INDEXES: [&str; 4] =
    [DEFAULT_INDEX, "https://pypi.org", "https://pypi.python.org/simple", "https://pypi.org/pypi"];
/// The longest page that is read; the largest known are below 10 MB.
const LONGEST_PAGE: u64 = 64 << 20;
/// The form of PEP 691 first, then that of PEP 503 by its two names.
const ACCEPT: &str = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";

/// Where files are looked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// The base of a simple API (`https://index.example/simple`).
    Index(Url),
    /// A page of links, or a directory (`file:`).
    FindLinks(Url),
}

impl Source {
    /// Its URL.
    pub fn url(&self) -> &Url {
        match self {
            Self::Index(url) | Self::FindLinks(url) => url,
        }
    }
}

/// A wheel or a source distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// `.whl`
    Wheel,
    /// `.tar.gz` or `.zip` (PEP 625 and what came before it).
    Sdist,
}

/// A file that an index offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexFile {
    /// Its name, a plain file name.
    pub filename: String,
    /// Where it is; without user, password and fragment.
    pub url: Url,
    /// Its digest, when the index says it.
    pub sha256: Option<Sha256>,
    /// Its length in bytes, when the index says it.
    pub size: Option<u64>,
    /// `Requires-Python` of the file's metadata, when the index says it.
    pub requires_python: Option<String>,
    /// Withdrawn (PEP 592), with the reason, which may be empty.
    pub yanked: Option<String>,
    /// What it is.
    pub kind: FileKind,
    /// The version in its name.
    pub version: Version,
}

/// What can go wrong with an index.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be fetched.
    #[error(transparent)]
    Fetch(#[from] fetch::Error),
    /// What it answers is no index page.
    #[error("{url} is no page of a package index: {reason}")]
    Page {
        /// The page.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Diagnose for Error {
    fn code(&self) -> &'static Code {
        match self {
            Self::Fetch(error) => error.code(),
            Self::Page { .. } => &codes::NOT_AN_INDEX,
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Fetch(error) => error.exit_code(),
            Self::Page { .. } => ExitCode::Failed,
        }
    }

    fn location(&self) -> Option<&Location> {
        match self {
            Self::Fetch(error) => error.location(),
            Self::Page { .. } => None,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Fetch(error) => error.hints(),
            Self::Page { .. } => {
                vec![
                    "check that the index's address is the base of its simple API (usually it ends in /simple)"
                        .to_owned(),
                ]
            }
        }
    }
}

/// Asks indexes; each page is fetched once in a run.
#[derive(Debug)]
pub struct IndexClient<'a> {
    client: &'a Client,
    pages: Mutex<BTreeMap<Url, Option<Arc<Vec<Link>>>>>,
}

impl<'a> IndexClient<'a> {
    /// A client that knows no page yet.
    pub fn new(client: &'a Client) -> Self {
        Self { client, pages: Mutex::default() }
    }

    /// What it fetches with.
    pub fn client(&self) -> &'a Client {
        self.client
    }

    /// The files of the project `name` at `source`, in the order of version and file name. `None`: the index does not
    /// know the project (a page of links without it is an empty list).
    pub fn files(&self, source: &Source, name: &str) -> Result<Option<Vec<IndexFile>>, Error> {
        let project = normalize(name);
        let links = match source {
            Source::Index(base) => self.page(&project_page(base, &project)?)?,
            Source::FindLinks(url) if is_directory(url) => self.directory(url)?,
            Source::FindLinks(url) => {
                let links = self.page(url)?;
                if links.is_none() {
                    let (url, status) = (address::public(url), 404);
                    return Err(fetch::Error::Status { url, status, retry_after: None, login_sent: false }.into());
                }
                links
            }
        };
        let Some(links) = links else { return Ok(None) };
        let mut files: Vec<IndexFile> = links.iter().filter_map(|link| link.file_of(&project)).collect();
        files.sort_by(|left, right| (&left.version, &left.filename).cmp(&(&right.version, &right.filename)));
        files.dedup_by(|left, right| left.filename == right.filename);
        Ok(Some(files))
    }

    fn page(&self, url: &Url) -> Result<Option<Arc<Vec<Link>>>, Error> {
        self.remembered(url, || match self.client.get_bytes(url, LONGEST_PAGE, ACCEPT) {
            Ok(response) => Ok(Some(read_page(&response)?)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(fetch::Error::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        })
    }

    fn directory(&self, url: &Url) -> Result<Option<Arc<Vec<Link>>>, Error> {
        self.remembered(url, || {
            let reason = "it names no file of this machine";
            let path = url.to_file_path().map_err(|()| fetch::Error::Address { url: address::public(url), reason })?;
            let mut links = Vec::new();
            for entry in fs_err::read_dir(&path).map_err(fetch::Error::Io)? {
                let entry = entry.map_err(fetch::Error::Io)?;
                let metadata = fs_err::metadata(entry.path()).map_err(fetch::Error::Io)?;
                let (Ok(filename), Ok(url)) = (entry.file_name().into_string(), Url::from_file_path(entry.path()))
                else {
                    continue;
                };
                if metadata.is_file() {
                    let size = Some(metadata.len());
                    links.push(Link { filename, url, sha256: None, size, requires_python: None, yanked: None });
                }
            }
            Ok(Some(links))
        })
    }

    fn remembered(
        &self,
        url: &Url,
        read: impl FnOnce() -> Result<Option<Vec<Link>>, Error>,
    ) -> Result<Option<Arc<Vec<Link>>>, Error> {
        if let Some(page) = self.pages.lock().unwrap_or_else(PoisonError::into_inner).get(url) {
            return Ok(page.clone());
        }
        let page = read()?.map(Arc::new);
        self.pages.lock().unwrap_or_else(PoisonError::into_inner).insert(url.clone(), page.clone());
        Ok(page)
    }
}

/// `BASE/PROJECT/`.
fn project_page(base: &Url, project: &str) -> Result<Url, Error> {
    let mut page = base.clone();
    page.set_fragment(None);
    let reason = "it cannot be the base of an index";
    page.path_segments_mut()
        .map_err(|()| fetch::Error::Address { url: address::public(base), reason })?
        .pop_if_empty()
        .extend([project, ""]);
    if page.scheme() == "file" {
        // A static index on disk: what a web server would send for the directory.
        page = page.join("index.html").unwrap_or(page);
    }
    Ok(page)
}

fn is_directory(url: &Url) -> bool {
    url.scheme() == "file" && url.to_file_path().is_ok_and(|path| path.is_dir())
}

/// A link of a page, not yet judged.
#[derive(Debug, Clone)]
struct Link {
    filename: String,
    url: Url,
    sha256: Option<Sha256>,
    size: Option<u64>,
    requires_python: Option<String>,
    yanked: Option<String>,
}

impl Link {
    /// The file it stands for, if it is one of this project.
    fn file_of(&self, project: &str) -> Option<IndexFile> {
        let (kind, version) = version_in(&self.filename, project)?;
        Some(IndexFile {
            filename: self.filename.clone(),
            url: self.url.clone(),
            sha256: self.sha256,
            size: self.size,
            requires_python: self.requires_python.clone(),
            yanked: self.yanked.clone(),
            kind,
            version,
        })
    }
}

/// What the file `filename` is and which version, if it is one of `project` (normalised).
pub fn version_in(filename: &str, project: &str) -> Option<(FileKind, Version)> {
    if let Some(stem) = filename.strip_suffix(".whl") {
        let mut parts = stem.split('-');
        let (name, version) = (parts.next()?, parts.next()?);
        if normalize(name) != project || !(3..=4).contains(&parts.count()) {
            return None;
        }
        let version = Version::from_str(&version.replace('_', "-")).ok()?;
        return Some((FileKind::Wheel, version));
    }
    let stem = SDIST_ENDINGS.iter().find_map(|ending| filename.strip_suffix(ending))?;
    // The name of old source distributions may hold `-`: it ends where the rest is a version.
    stem.match_indices('-')
        .find_map(|(dash, _)| {
            let (name, version) = (stem.get(..dash)?, stem.get(dash + 1..)?);
            (normalize(name) == project).then(|| Version::from_str(version).ok())?
        })
        .map(|version| (FileKind::Sdist, version))
}

/// What source distributions may end in. PEP 625 knows only the first; `.zip` came before it; the others are rare but pip
/// takes them.
pub const SDIST_ENDINGS: [&str; 6] = [".tar.gz", ".zip", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst"];

fn read_page(response: &fetch::Response) -> Result<Vec<Link>, Error> {
    let kind = response.content_type.as_deref().unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        "application/vnd.pypi.simple.v1+json" | "application/json" => read_json(response),
        // `""`: a file.
        "text/html" | "application/xhtml+xml" | "application/vnd.pypi.simple.v1+html" | "" => Ok(read_html(response)),
        other => Err(page_error(response, format!("its type is `{other}`"))),
    }
}

fn page_error(response: &fetch::Response, reason: String) -> Error {
    Error::Page { url: address::public(&response.url), reason }
}

#[derive(Deserialize)]
struct JsonPage {
    #[serde(default)]
    meta: JsonMeta,
    files: Vec<JsonFile>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
struct JsonMeta {
    #[serde(default)]
    api_version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct JsonFile {
    filename: String,
    url: String,
    #[serde(default)]
    hashes: BTreeMap<String, String>,
    #[serde(default)]
    size: Option<u64>,
    #[serde(default)]
    requires_python: Option<String>,
    #[serde(default)]
    yanked: Yanked,
}

/// `false`, `true`, or the reason.
#[derive(Deserialize)]
#[serde(untagged)]
enum Yanked {
    Flag(bool),
    Reason(String),
}

impl Default for Yanked {
    fn default() -> Self {
        Self::Flag(false)
    }
}

fn read_json(response: &fetch::Response) -> Result<Vec<Link>, Error> {
    let page: JsonPage = serde_json::from_slice(&response.bytes)
        .map_err(|error| page_error(response, format!("its JSON cannot be read: {error}")))?;
    if !page.meta.api_version.is_empty() && !page.meta.api_version.starts_with("1.") {
        return Err(page_error(response, format!("its version is {}, packhouse reads 1.x", page.meta.api_version)));
    }
    let links = page.files.into_iter().filter_map(|file| {
        let (url, _) = target(&response.url, &file.url)?;
        Some(Link {
            filename: plain(file.filename)?,
            url,
            sha256: file.hashes.get("sha256").and_then(|text| text.parse().ok()),
            size: file.size,
            requires_python: file.requires_python.filter(|text| !text.trim().is_empty()),
            yanked: match file.yanked {
                Yanked::Flag(false) => None,
                Yanked::Flag(true) => Some(String::new()),
                Yanked::Reason(reason) => Some(reason),
            },
        })
    });
    Ok(links.collect())
}

fn read_html(response: &fetch::Response) -> Vec<Link> {
    let text = String::from_utf8_lossy(&response.bytes);
    let page = html::read(&text);
    let base = page.base.as_deref().and_then(|base| response.url.join(base).ok());
    let base = base.as_ref().unwrap_or(&response.url);
    let links = page.anchors.into_iter().filter_map(|anchor| {
        let (url, fragment) = target(base, anchor.get("href")?)?;
        let last = url.path_segments()?.next_back()?;
        let filename = percent_encoding::percent_decode_str(last).decode_utf8().ok()?.into_owned();
        Some(Link {
            filename: plain(filename)?,
            url,
            sha256: fragment.as_deref().and_then(sha256_of_fragment),
            size: None,
            requires_python: anchor
                .get("data-requires-python")
                .filter(|text| !text.trim().is_empty())
                .map(str::to_owned),
            yanked: anchor.get("data-yanked").map(str::to_owned),
        })
    });
    links.collect()
}

/// `sha256=…` among the parts of a fragment.
pub(super) fn sha256_of_fragment(fragment: &str) -> Option<Sha256> {
    fragment.split('&').find_map(|part| part.strip_prefix("sha256=")?.parse().ok())
}

/// A link's URL, without login and fragment, and its fragment. From the network one is not led to files of this machine.
fn target(base: &Url, reference: &str) -> Option<(Url, Option<String>)> {
    let mut url = address::without_login(base.join(reference.trim()).ok()?);
    let fragment = url.fragment().map(str::to_owned);
    url.set_fragment(None);
    match url.scheme() {
        "https" | "http" => Some((url, fragment)),
        "file" if base.scheme() == "file" => Some((url, fragment)),
        _ => None,
    }
}

/// A name that is a file's and nothing else.
fn plain(name: String) -> Option<String> {
    let good = !name.is_empty()
        && name.len() <= 255
        && !name.starts_with('.')
        && !name.chars().any(|letter| matches!(letter, '/' | '\\') || letter.is_control());
    good.then_some(name)
}

/// Where the normalised `name` is looked for, in this order: the index that it is pinned to and no other; else the indexes
/// without pins, the default one last. Pages and directories of links are asked beside all of them.
pub fn sources(indexes: &Indexes, name: &str) -> Result<Vec<Source>, IndexError> {
    let source = |index: &Index| {
        let url = Url::parse(&index.url).ok()?;
        Some(match index.kind {
            IndexKind::Simple => Source::Index(url),
            IndexKind::Links => Source::FindLinks(url),
        })
    };
    if let Some(index) = indexes.pin_of(name)? {
        return Ok(source(index).into_iter().collect());
    }
    let mut sources: Vec<Source> = indexes.all().filter(|index| index.pins.is_empty()).filter_map(source).collect();
    if indexes.default.is_none() && !indexes.without_default {
        sources.extend(Url::parse(DEFAULT_INDEX).ok().map(Source::Index));
    }
    Ok(sources)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::credentials::Credentials;
    use crate::fetch::server::{Reply, Server};

    const DIGEST: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

    fn client() -> Client {
        Client::new(Credentials::none(), false).unwrap()
    }

    fn serve(kind: &'static str, page: &'static str) -> Server {
        Server::new(move |request| match request.path.as_str() {
            "/simple/my-project/" => Reply::whole(page).with("Content-Type", kind),
            _ => Reply::status(404),
        })
    }

    fn files(server: &Server) -> Result<Option<Vec<IndexFile>>, Error> {
        IndexClient::new(&client()).files(&Source::Index(server.url("/simple")), "My_Project")
    }

    #[test]
    fn a_page_of_html_is_read_with_all_that_it_says() {
        let server = serve(
            "text/html; charset=utf-8",
            "<html><head><base href='/files/'></head><body>\
             <a href='my_project-1.0-py3-none-any.whl#sha256=2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'\
              data-requires-python='&gt;=3.9'>x</a>\
             <a href='../other/my-project-1.1.tar.gz' data-yanked='broken'>x</a>\
             <a href='https://u:p@cdn.example/my_project-0.9%2Blocal.zip'>x</a>\
             <a href='my_project-2.0.exe'>x</a><a href='other-1.0.tar.gz'>x</a><a href='file:///etc/my_project-3.tar.gz'>x</a>\
             <a href='my_project-not.a.version.tar.gz'>x</a>",
        );
        let files = files(&server).unwrap().unwrap();
        let names: Vec<&str> = files.iter().map(|file| file.filename.as_str()).collect();
        assert_eq!(names, ["my_project-0.9+local.zip", "my_project-1.0-py3-none-any.whl", "my-project-1.1.tar.gz"]);
        assert_eq!(files[0].url.as_str(), "https://cdn.example/my_project-0.9%2Blocal.zip");
        assert_eq!(files[1].url, server.url("/files/my_project-1.0-py3-none-any.whl"));
        assert_eq!(files[1].sha256.unwrap().to_string(), DIGEST);
        assert_eq!(files[1].requires_python.as_deref(), Some(">=3.9"));
        assert_eq!(files[1].kind, FileKind::Wheel);
        assert_eq!(files[2].url, server.url("/other/my-project-1.1.tar.gz"));
        assert_eq!((files[2].kind, files[2].yanked.as_deref()), (FileKind::Sdist, Some("broken")));
    }

    #[test]
    fn a_page_of_json_is_read_with_sizes() {
        let server = serve(
            "application/vnd.pypi.simple.v1+json",
            r#"{"meta":{"api-version":"1.3","x":1},"name":"my-project","files":[
              {"filename":"my_project-1.0-py3-none-any.whl","url":"../../f/my_project-1.0-py3-none-any.whl","size":5,
               "hashes":{"sha256":"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824","md5":"x"},"yanked":false,"requires-python":null},
              {"filename":"my_project-1.1.tar.gz","url":"https://cdn.example/b","hashes":{},"yanked":"why"},
              {"filename":"../my_project-1.2.tar.gz","url":"https://cdn.example/c","hashes":{}}]}"#,
        );
        let files = files(&server).unwrap().unwrap();
        assert_eq!(files.len(), 2);
        assert_eq!(files[0].url, server.url("/f/my_project-1.0-py3-none-any.whl"));
        assert_eq!((files[0].size, files[0].sha256.unwrap().to_string().as_str()), (Some(5), DIGEST));
        assert_eq!((files[1].size, files[1].sha256, files[1].yanked.as_deref()), (None, None, Some("why")));
        assert!(server.requests()[0].header("accept").unwrap().starts_with("application/vnd.pypi.simple.v1+json"));
    }

    #[test]
    fn an_index_that_does_not_know_the_project_says_so_and_is_asked_once() {
        let server = Server::new(|_| Reply::status(404));
        let client = client();
        let index = IndexClient::new(&client);
        for _ in 0..2 {
            assert_eq!(index.files(&Source::Index(server.url("/simple/")), "x").unwrap(), None);
        }
        assert_eq!(server.requests().len(), 1);
        assert!(index.files(&Source::FindLinks(server.url("/links")), "x").is_err());
    }

    #[test]
    fn what_is_no_page_is_an_error_and_never_a_panic() {
        for (kind, page) in [
            ("image/png", "x"),
            ("application/json", "{"),
            ("application/json", r#"{"files":[{"filename":1}]}"#),
            ("application/json", r#"{"meta":{"api-version":"2.0"},"files":[]}"#),
        ] {
            let error = files(&serve(kind, page)).unwrap_err();
            assert!(matches!(error, Error::Page { .. }), "{error}");
        }
        assert_eq!(files(&serve("text/html", "\u{0}<a href=")).unwrap().unwrap(), []);
    }

    #[test]
    fn a_directory_is_a_page_of_links() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["my_project-1.0-py3-none-any.whl", "other-1-py3-none-any.whl", "README"] {
            fs_err::write(directory.path().join(name), "hello").unwrap();
        }
        let client = Client::new(Credentials::none(), true).unwrap();
        let source = Source::FindLinks(Url::from_file_path(directory.path()).unwrap());
        let files = IndexClient::new(&client).files(&source, "my.project").unwrap().unwrap();
        assert_eq!(files.len(), 1);
        assert_eq!((files[0].size, files[0].url.scheme()), (Some(5), "file"));
    }

    #[test]
    fn a_version_is_found_in_old_and_new_names() {
        let version = |name: &str, project: &str| version_in(name, project).map(|(_, version)| version.to_string());
        assert_eq!(version("zope.interface-5.4.0.tar.gz", "zope-interface").as_deref(), Some("5.4.0"));
        assert_eq!(version("my-old-name-1.0.post1.zip", "my-old-name").as_deref(), Some("1.0.post1"));
        assert_eq!(version("my-old-1.0.zip", "my").as_deref(), None);
        assert_eq!(version("a-1.0-1-cp311-cp311-manylinux_2_17_x86_64.whl", "a").as_deref(), Some("1.0"));
        assert_eq!(version("a-1.0-cp311.whl", "a"), None);
    }
}
