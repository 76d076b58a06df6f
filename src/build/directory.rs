//! A plain directory to packages: what `packhouse pack` does for measurements and comparisons, without services, checks or
//! history. The packers, the cache of blocks and the rule that nothing is done twice are those of `build`.

mod known;
mod listing;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::cache::{Blocks, Cache, record};
use crate::config::Maintainer;
use crate::diagnostic::{Code, Diagnose, ExitCode, codes, io_code, io_hints};
use crate::digest::Sha256;
use crate::format::{self, Effort, WriteOptions};
use crate::name::PackageName;
use crate::package::{Changelog, DebianOnly, Package, Relations, Release, Scripts, Version};
use crate::stamp::Stamp;
use crate::target::{Compression, Target};
use crate::tree::{Content, Entry, InstallPath, InvalidInstallPath, Node, PathConflict, Source, Tree};
use known::Known;
use listing::{Kind, Listing};

/// 2023-11-14, the time in every package unless another is asked for: a measurement must not depend on the day.
pub const TIME: i64 = 1_700_000_000;

/// What to pack, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// Its content is what the packages install below `/`.
    pub directory: PathBuf,
    /// One package for each.
    pub targets: Vec<Target>,
    /// The packages' name.
    pub name: PackageName,
    /// Their version.
    pub version: String,
    /// The time of every file.
    pub time: i64,
    /// The compressor; the target's when `None`.
    pub compression: Option<Compression>,
    /// How hard to compress.
    pub effort: Effort,
    /// The directory for the packages; made when it is not there.
    pub out: PathBuf,
}

/// Why a directory could not be packed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A file has a name that no installed file can have.
    #[error(transparent)]
    Path(#[from] InvalidInstallPath),
    /// Two files want one path.
    #[error(transparent)]
    Conflict(#[from] PathConflict),
    /// A package could not be written.
    #[error(transparent)]
    Write(#[from] format::Error),
}

impl Diagnose for Error {
    fn code(&self) -> &'static Code {
        match self {
            Self::Io(error) => io_code(error),
            Self::Write(error) => error.code(),
            Self::Path(_) => &codes::INVALID_INSTALL_PATH,
            Self::Conflict(_) => &codes::FILES_COLLIDE,
        }
    }

    fn exit_code(&self) -> ExitCode {
        if let Self::Write(error) = self { error.exit_code() } else { ExitCode::Failed }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Io(error) => io_hints(error),
            Self::Write(error) => error.hints(),
            Self::Path(_) | Self::Conflict(_) => Vec::new(),
        }
    }
}

/// What is remembered of a packing that need not be done again.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    listing: Sha256,
    packages: Vec<(PathBuf, Stamp)>,
}

/// Packs the directory for each target and gives the packages' paths. When neither the directory nor the settings nor the
/// packages have changed since the last time, nothing is read or written.
pub fn pack(cache: &Cache, options: &Options) -> Result<Vec<PathBuf>, Error> {
    let directory = std::path::absolute(&options.directory)?;
    let listing = Listing::of(&directory)?;
    let digest = listing.digest();
    let settings = settings(&directory, options)?;
    let (place, subject) = (section(cache).join(format!("{settings}-packed")), format!("packed {settings}"));
    if let Some(packed) = unchanged(&place, &subject, digest) {
        return Ok(packed);
    }
    let mut known = Known::of(cache, &listing)?;
    let mut tree = tree(&listing, &known)?;
    fs_err::create_dir_all(&options.out)?;
    let mut packed = Vec::new();
    let blocks = Blocks::of(cache);
    let write = WriteOptions {
        compression: options.compression,
        effort: options.effort,
        blocks: Some(&blocks),
        ..WriteOptions::default()
    };
    for target in &options.targets {
        let package = package(options, target, tree);
        packed.push(format::write(&package, &options.out, &write)?.path);
        tree = package.tree;
    }
    // What changed just before the walk may have changed since without a trace: it is looked at once more.
    let settled = known.settle(&listing) && (listing.is_settled() || same(&directory, digest));
    known.keep(cache);
    if settled {
        let packages = packed.iter().map(|path| Ok((path.clone(), stamp_at(path)?))).collect::<std::io::Result<_>>()?;
        put(cache, &place, &subject, &Record { listing: digest, packages });
    }
    Ok(packed)
}

/// The packages of the last time, if they are still what would be written.
fn unchanged(place: &Path, subject: &str, digest: Sha256) -> Option<Vec<PathBuf>> {
    let record: Record = serde_json::from_slice(&record::read(place, subject)?).ok()?;
    let same = |(path, stamp): &(PathBuf, Stamp)| stamp_at(path).is_ok_and(|now| now == *stamp);
    let unchanged = record.listing == digest && record.packages.iter().all(same);
    unchanged.then(|| record.packages.into_iter().map(|(path, _)| path).collect())
}

/// Whether the directory is still as it was, and settled.
fn same(directory: &Path, digest: Sha256) -> bool {
    Listing::of(directory).is_ok_and(|again| again.is_settled() && again.digest() == digest)
}

/// Everything that the packages depend on beside the directory's content; this program as well.
fn settings(directory: &Path, options: &Options) -> Result<Sha256, Error> {
    let program = std::env::current_exe().and_then(|program| stamp_at(&program))?;
    let Options { directory: _, targets, name, version, time, compression, effort, out } = options;
    let targets: Vec<String> = targets.iter().map(Target::to_string).collect();
    let out = std::path::absolute(out)?;
    let all =
        format!("{program:?} {directory:?} {targets:?} {name} {version:?} {time} {compression:?} {effort:?} {out:?}");
    Ok(Sha256::of(all.as_bytes()))
}

/// The directory as a tree: all of it root's, with its own modes.
fn tree(listing: &Listing, known: &Known) -> Result<Tree, Error> {
    let mut tree = Tree::new();
    let mut first_names: HashMap<(u64, u64), InstallPath> = HashMap::new();
    for found in &listing.entries {
        let file = (found.stamp.device, found.stamp.inode);
        let path = InstallPath::parse(&found.path)?;
        let mode = found.stamp.mode & 0o7777;
        let first = first_names.get(&file);
        let entry = match (&found.kind, first) {
            (Kind::Directory, _) => Entry::root(Node::Directory, mode),
            (Kind::Symlink(target), _) => Entry::root(Node::Symlink(target.clone()), 0o777),
            (Kind::File { linked: true }, Some(first)) => Entry::root(Node::HardLink(first.clone()), mode),
            (Kind::File { linked }, _) => {
                if *linked {
                    first_names.insert(file, path.clone());
                }
                let Some(digests) = known.digests(&found.path) else { continue };
                let source = Source::Path(listing.root.join(path.relative()));
                Entry::root(Node::File(Content { source, digests }), mode)
            }
        };
        tree.insert(path, entry)?;
    }
    Ok(tree)
}

fn package(options: &Options, target: &Target, tree: Tree) -> Package {
    let upstream = options.version.clone();
    let revision = format!("1{}", target.distribution.revision_suffix);
    let version = Version { epoch: 0, debian: upstream.clone(), rpm: upstream, revision };
    let maintainer = Maintainer { name: "Nobody".to_owned(), mail: "nobody@localhost".to_owned() };
    let release = Release {
        version: version.clone(),
        time: options.time,
        author: maintainer.clone(),
        changes: vec!["Pack a directory".to_owned()],
    };
    Package {
        name: options.name.clone(),
        source: options.name.clone(),
        version,
        target: target.clone(),
        architecture: Some(target.architecture),
        summary: "files of a directory".to_owned(),
        description: "What a directory holds, as it is.".to_owned(),
        maintainer,
        vendor: "none".to_owned(),
        homepage: None,
        license: "unknown".to_owned(),
        section: "misc".to_owned(),
        relations: Relations::default(),
        scripts: Scripts::default(),
        debian: DebianOnly::default(),
        changelog: Changelog { releases: vec![release] },
        time: options.time,
        tree,
        owned_directories: Vec::new(),
        build_ids: Vec::new(),
        notes: Vec::new(),
    }
}

/// Where what is known of directories is kept.
fn section(cache: &Cache) -> PathBuf {
    cache.section("directories").join("v1")
}

/// Keeps `value`; where that fails, work is only done again.
fn put(cache: &Cache, place: &Path, subject: &str, value: &impl Serialize) {
    let bytes = serde_json::to_vec(value).map_err(std::io::Error::from);
    drop(bytes.and_then(|bytes| record::write(cache, place, subject, &bytes)));
}

/// What stands at `path` now.
fn stamp_at(path: &Path) -> std::io::Result<Stamp> {
    fs_err::symlink_metadata(path).map(|metadata| Stamp::of(&metadata))
}
