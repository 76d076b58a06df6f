//! From what a lock pins to files that can be fetched: most locks name files and digests and leave the URLs to an index.
//!
//! A file of an index is one of the lock's when it is of the version and has one of the digests. Where the index says no
//! digests, the file's name decides and the digest is held against what comes. Nothing else of the index matters: whether
//! there are newer versions, whether this one was withdrawn since.

use std::path::Path;

use pep440_rs::Version;
use rayon::prelude::*;
use url::Url;

use super::graph::{Origin, Pin, PinnedFile};
use super::{Question, SDIST_ENDINGS};
use crate::ecosystem::python::index::{self, IndexClient, IndexFile, Source};
use crate::ecosystem::python::indexes::{redact, without_credentials};
use crate::ecosystem::python::lock_error::LockError;
use crate::ecosystem::python::pylock::file_name_of_url;
use crate::ecosystem::python::uv_lock::{Artefact, Place, Reached};
use crate::fetch::Client;

/// Finds the files of all pins. `fault` makes the error of a sentence that goes on with the lock's path.
pub(super) fn complete(
    question: &Question<'_>,
    client: &Client,
    pins: Vec<Pin>,
    fault: &(dyn Fn(String) -> LockError + Sync),
) -> Result<Vec<Reached>, LockError> {
    let index = IndexClient::new(client);
    pins.into_par_iter().map(|pin| one(question, &index, pin, fault)).collect()
}

fn one(
    question: &Question<'_>,
    index: &IndexClient<'_>,
    pin: Pin,
    fault: &(dyn Fn(String) -> LockError + Sync),
) -> Result<Reached, LockError> {
    let title = title(&pin);
    if pin.files.is_empty() && !matches!(pin.origin, Origin::Directory(_) | Origin::Other(_)) {
        return Err(fault(format!("has no digest for {title}, so that nothing says which file it means")));
    }
    let (place, files) = match &pin.origin {
        Origin::Other(from) => {
            return Err(fault(format!("takes {title} from {}, whose content no digest fixes", redact(from))));
        }
        Origin::Directory(path) => (Place::Directory(path.clone()), Vec::new()),
        Origin::Url(url) => (Place::Archive(url.clone()), vec![of_archive(file_name(url, fault)?, url, &pin)]),
        Origin::File(path) => {
            let url = url_of_file(path, question.root).ok_or_else(|| {
                fault(format!("takes {title} from {}, which is no file of the repository", path.display()))
            })?;
            let name = file_name_of_url(&url).unwrap_or_default();
            (Place::Archive(url.clone()), vec![of_archive(name, &url, &pin)])
        }
        Origin::Index(named) => match direct(&pin, fault)? {
            Some(files) => (Place::Index(named.clone().unwrap_or_default()), files),
            None => found(question, index, &pin, named.as_deref(), fault)?,
        },
    };
    let (wheels, mut sources): (Vec<Artefact>, Vec<Artefact>) =
        files.into_iter().partition(|file| file.name.ends_with(".whl"));
    let rank = |file: &Artefact| SDIST_ENDINGS.iter().position(|ending| file.name.ends_with(ending));
    sources.retain(|file| rank(file).is_some());
    sources.sort_by_key(rank);
    Ok(Reached {
        name: pin.name,
        version: pin.version,
        place,
        sdist: sources.into_iter().next(),
        wheels,
        environments: pin.environments,
        required_by: pin.required_by,
    })
}

fn title(pin: &Pin) -> String {
    pin.version.as_ref().map_or_else(|| pin.name.clone(), |version| format!("{} {version}", pin.name))
}

/// The URL of a file below `root`.
fn url_of_file(path: &Path, root: &Path) -> Option<String> {
    let real = fs_err::canonicalize(path).ok().filter(|real| real.is_file() && real.starts_with(root))?;
    Some(Url::from_file_path(real).ok()?.into())
}

/// The one file of an archive at `url`.
fn of_archive(name: String, url: &str, pin: &Pin) -> Artefact {
    let named = |file: &&PinnedFile| file.name.as_ref() == Some(&name);
    let file = pin.files.iter().find(named).or(pin.files.first());
    Artefact { sha256: file.map(|file| file.sha256), url: url.to_owned(), size: None, name }
}

/// The files of a lock that has their URLs; `None` for one that has not.
fn direct(pin: &Pin, fault: &dyn Fn(String) -> LockError) -> Result<Option<Vec<Artefact>>, LockError> {
    let mut files = Vec::new();
    for file in &pin.files {
        let Some(url) = &file.url else { return Ok(None) };
        files.push(Artefact { name: file_name(url, fault)?, url: url.clone(), sha256: Some(file.sha256), size: None });
    }
    Ok(Some(files))
}

/// The file name in a URL of the web: a lock leads to no files of this machine.
fn file_name(url: &str, fault: &dyn Fn(String) -> LockError) -> Result<String, LockError> {
    let of_web = ["https://", "http://"].iter().any(|scheme| url.starts_with(scheme));
    file_name_of_url(url)
        .filter(|_| of_web)
        .ok_or_else(|| fault(format!("names the URL `{}`, from which nothing is fetched", redact(url))))
}

/// The files that an index has.
fn found(
    question: &Question<'_>,
    index: &IndexClient<'_>,
    pin: &Pin,
    named: Option<&str>,
    fault: &(dyn Fn(String) -> LockError + Sync),
) -> Result<(Place, Vec<Artefact>), LockError> {
    let sources = match named {
        None => index::sources(question.indexes, &pin.name)?,
        Some(url) => {
            let bare = without_credentials(url).0;
            let url = Url::parse(&bare).ok().filter(|url| matches!(url.scheme(), "https" | "http"));
            let bad = || fault(format!("takes {} from `{}`, which is the URL of no index", title(pin), redact(&bare)));
            vec![Source::Index(url.ok_or_else(bad)?)]
        }
    };
    let version: Option<Version> = pin.version.as_deref().and_then(|version| version.parse().ok());
    let mut by_name: Option<(Place, Vec<Artefact>)> = None;
    for source in &sources {
        let files = index.files(source, &pin.name).map_err(|error| LockError::Other(Box::new(error)))?;
        let files: Vec<IndexFile> = files.unwrap_or_default();
        let of_version = || files.iter().filter(|file| version.as_ref().is_none_or(|version| file.version == *version));
        let artefact = |file: &IndexFile, pinned: &PinnedFile| Artefact {
            name: file.filename.clone(),
            url: file.url.to_string(),
            sha256: Some(pinned.sha256),
            size: file.size,
        };
        let place = || match source {
            Source::Index(url) => Place::Index(url.as_str().trim_end_matches('/').to_owned()),
            Source::FindLinks(_) => Place::Index(String::new()),
        };
        let matching = |is: &dyn Fn(&IndexFile, &PinnedFile) -> bool| -> Vec<Artefact> {
            of_version()
                .filter_map(|file| Some(artefact(file, pin.files.iter().find(|pinned| is(file, pinned))?)))
                .collect()
        };
        let by_digest = matching(&|file, pinned| file.sha256 == Some(pinned.sha256));
        if !by_digest.is_empty() {
            return Ok((place(), by_digest));
        }
        let named = matching(&|file, pinned| file.sha256.is_none() && pinned.name.as_ref() == Some(&file.filename));
        if !named.is_empty() && by_name.is_none() {
            by_name = Some((place(), named));
        }
    }
    by_name.ok_or_else(|| {
        let asked: Vec<&str> = sources.iter().map(|source| source.url().as_str()).collect();
        fault(format!("pins {} by digests that no file of it has at {}", title(pin), asked.join(", ")))
    })
}
