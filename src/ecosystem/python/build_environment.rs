//! The environments that wheels are built in.
//!
//! One is made of links into the store and used by one step after another: the step sees it read-only, always at the same
//! place. So it is kept, by what it is made of, together with byte-code of what a back end imports of it: setuptools alone
//! imports a hundred modules at each start. A step says which, which is no reason to believe it: packhouse makes the
//! byte-code itself, of sources of the wheels, when the step is over.
//!
//! Where a step sees the machine's own paths there is no such place, and each step has an environment of its own.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::bytecode::{self, Row, Unit, pyc_path};
use super::environment::{self, Part, Place};
use super::host::Interpreter;
use super::store::come_into_place;
use crate::cache::{Cache, record, seal};
use crate::digest::Sha256;
use crate::sandbox::{Bind, Sandbox};
use crate::tree::Node;

/// Changes when what is in one does.
const SECTION: &str = "build-environments/v2";

/// An environment on disk.
pub(super) struct BuildEnvironment<'a> {
    /// Where.
    pub(super) directory: PathBuf,
    place: Place,
    fresh: Option<Fresh<'a>>,
}

/// One that is not in the cache yet.
struct Fresh<'a> {
    cache: &'a Cache,
    kept: PathBuf,
    temporary: tempfile::TempDir,
    content: Index,
}

/// What is in one: paths and sizes, and where links lead.
#[derive(Default, Serialize, Deserialize)]
struct Index {
    files: BTreeMap<String, u64>,
    links: BTreeMap<String, PathBuf>,
}

impl<'a> BuildEnvironment<'a> {
    /// The environment of `parts`, which steps see at `place`: the one in the cache, or a new one. `own` is where it is made
    /// when it cannot be kept.
    pub(super) fn of(
        cache: &'a Cache,
        sandbox: &Sandbox,
        interpreter: &Interpreter,
        place: Place,
        parts: &[Part],
        own: &Path,
    ) -> Result<Self, environment::Error> {
        let make = |directory: &Path| -> Result<Index, environment::Error> {
            let environment = environment::assemble(&place, parts)?;
            environment::materialize(&environment.tree, &place.prefix, directory)?;
            let mut content = Index::default();
            for (path, entry) in environment.tree.iter() {
                let Some(path) = below(path.as_str(), &place).map(str::to_owned) else { continue };
                match &entry.node {
                    Node::File(file) => drop(content.files.insert(path, file.digests.size)),
                    Node::Symlink(target) => drop(content.links.insert(path, target.into())),
                    Node::Directory | Node::HardLink(_) => {}
                }
            }
            Ok(content)
        };
        if !sandbox.isolation().has_fixed_places() {
            make(own)?;
            return Ok(Self { directory: own.to_path_buf(), place, fresh: None });
        }
        let mut text = format!("{place:?} {}\n", interpreter.full_version);
        for part in parts {
            text.push_str(&format!("{}\n", part.wheel.sha256()));
        }
        let kept = cache.section(SECTION).join(Sha256::of(text.as_bytes()).to_string());
        if is_whole(&kept) {
            cache.used(&kept);
            return Ok(Self { directory: kept.join("files"), place, fresh: None });
        }
        let temporary = cache.temporary_directory()?;
        let directory = temporary.path().join("files");
        let content = make(&directory)?;
        Ok(Self { directory, place, fresh: Some(Fresh { cache, kept, temporary, content }) })
    }

    /// Keeps it, with byte-code of those of its sources that a step says it has imported (paths as the step sees them). That it
    /// cannot be kept only means that it is made again.
    pub(super) fn keep(self, sandbox: &Sandbox, interpreter: &Interpreter, imported: &[String]) {
        let Some(mut fresh) = self.fresh else { return };
        let sources = imported.iter().filter_map(|path| below(path, &self.place));
        let sources: Vec<&str> =
            sources.filter(|path| path.ends_with(".py") && fresh.content.files.contains_key(*path)).collect();
        let kept = || -> Result<(), bytecode::Error> {
            let made = compile(sandbox, interpreter, fresh.cache, &self.directory, &sources)?;
            fresh.content.files.extend(made);
            let index = serde_json::to_vec(&fresh.content).map_err(io::Error::from)?;
            record::write(fresh.cache, &fresh.temporary.path().join("index.json"), &key(&fresh.kept), &index)?;
            Ok(come_into_place(fresh.cache, fresh.temporary, &fresh.kept, || is_whole(&fresh.kept))?)
        };
        drop(kept());
    }
}

/// `path` relative to the environment.
fn below<'a>(path: &'a str, place: &Place) -> Option<&'a str> {
    path.strip_prefix(place.prefix.as_str())?.strip_prefix('/')
}

/// What one is kept by.
fn key(kept: &Path) -> String {
    kept.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn is_whole(kept: &Path) -> bool {
    let index = record::read(&kept.join("index.json"), &key(kept));
    let index = index.and_then(|bytes| serde_json::from_slice::<Index>(&bytes).ok());
    let files = kept.join("files");
    index.is_some_and(|index| {
        index.files.iter().all(|(path, size)| seal::holds(&files.join(path), *size))
            && index
                .links
                .iter()
                .all(|(path, target)| fs_err::read_link(files.join(path)).is_ok_and(|at| at == *target))
    })
}

/// Puts byte-code of `sources` beside them in `directory`; gives its paths and sizes.
fn compile(
    sandbox: &Sandbox,
    interpreter: &Interpreter,
    cache: &Cache,
    directory: &Path,
    sources: &[&str],
) -> Result<Vec<(String, u64)>, bytecode::Error> {
    let room = cache.temporary_directory()?;
    let binds =
        vec![Bind::writable(directory, "/packhouse/environment"), Bind::writable(room.path(), "/packhouse/bytecode")];
    let (files, output) = (sandbox.inside(&binds, directory), sandbox.inside(&binds, room.path()));
    let rows = sources.iter().map(|path| Row {
        source: files.join(path),
        output: files.join(pyc_path(path, interpreter.version)),
        shown: (*path).to_owned(),
    });
    let unit = Unit { size: 0, messages: output.join("messages"), rows: rows.collect() };
    let said = bytecode::run_units(sandbox, interpreter, 1, vec![unit], binds, room.path())?;
    if !room.path().join("messages").exists() {
        return Err(io::Error::other(said).into());
    }
    let mut made = Vec::new();
    for path in sources {
        let path = pyc_path(path, interpreter.version);
        match fs_err::symlink_metadata(directory.join(&path)) {
            Ok(metadata) => made.push((path, metadata.len())),
            Err(error) if bytecode::is_without_byte_code(&error) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(made)
}
