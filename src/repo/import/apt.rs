//! The apt half: every suite below `dists`, as reprepro, aptly, apt-ftparchive or dak have published it.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::index::{self, Checksum};
use super::release::{self, Release};
use super::stanzas::Stanza;
use super::{Identity, ImportOptions, ImportPlan, Left, PlannedSuite, place, relative, stanzas, wanted};
use crate::repo::error::RepoError;
use crate::repo::ingest::Item;
use crate::repo::layout::{check_component, check_suite};
use crate::repo::suite::Kind;

/// The forms of an index, the quickest to read first.
const FORMS: [&str; 4] = ["", ".gz", ".zst", ".xz"];
/// What else a suite may have; packhouse makes its own, or has no use for it.
const DERIVED: [&str; 6] = ["Contents-", "Release", "i18n/", "by-hash/", ".diff/", "Packages"];

/// One suite that is being read.
struct Reading<'a> {
    root: &'a Path,
    directory: &'a Path,
    release: &'a Release,
    items: Vec<Item>,
    seen: BTreeSet<PathBuf>,
    left: &'a mut Vec<Left>,
}

/// Plans for all suites; `false` when there are none.
pub(super) fn plan(root: &Path, options: &ImportOptions, plan: &mut ImportPlan) -> Result<bool, RepoError> {
    let dists = root.join("dists");
    if !dists.is_dir() {
        return Ok(false);
    }
    let mut found = false;
    for entry in walkdir::WalkDir::new(&dists).min_depth(1).max_depth(4).sort_by_file_name() {
        let entry = entry.map_err(io::Error::from).map_err(RepoError::io("the source could not be read"))?;
        let directory = entry.path();
        let name = relative(&dists, directory);
        if entry.path_is_symlink() && directory.is_dir() {
            let to = fs_err::read_link(directory).unwrap_or_default();
            let reason =
                format!("it is another name of {}; its clients are served once they are told that name", to.display());
            plan.left.push(Left::other(relative(root, directory), reason));
            continue;
        }
        if !directory.is_dir() || !["InRelease", "Release"].iter().any(|file| directory.join(file).is_file()) {
            continue;
        }
        // The Release files within a component say nothing of the suite.
        if name.contains("/binary-") || name.ends_with("/source") {
            continue;
        }
        found = true;
        if !wanted(options, &name) {
            continue;
        }
        if check_suite(&name).is_err() {
            let reason = "packhouse has no suites of such a name; import its packages as plain files with --suite";
            plan.left.push(Left::package(relative(root, directory), reason));
            continue;
        }
        let suite = suite(root, directory, &name, &mut plan.left)?;
        plan.suites.push(suite);
    }
    Ok(found)
}

fn suite(root: &Path, directory: &Path, name: &str, left: &mut Vec<Left>) -> Result<PlannedSuite, RepoError> {
    let failed = |error: io::Error| RepoError::BadState { path: directory.to_path_buf(), reason: error.to_string() };
    let release = release::read(directory).map_err(failed)?;
    let mut reading = Reading { root, directory, release: &release, items: Vec::new(), seen: BTreeSet::new(), left };
    reading.all()?;
    let items = reading.items;
    let identity = Identity { components: release.identity.components.clone(), ..release.identity };
    Ok(PlannedSuite { kind: Kind::Apt, suite: name.to_owned(), identity, packages: 0, items })
}

impl Reading<'_> {
    fn all(&mut self) -> Result<(), RepoError> {
        let indices: BTreeSet<String> = self.release.files.keys().map(|name| without_form(name).to_owned()).collect();
        for name in indices {
            if place::check(&name).is_err() {
                self.left.push(Left::other(
                    name.escape_debug().to_string(),
                    "this is not the name of a file in a repository",
                ));
                continue;
            }
            let Some((component, rest)) = name.split_once('/') else { continue };
            let known = self.release.components.iter().any(|known| known == component);
            let is_packages =
                rest.strip_prefix("binary-").is_some_and(|rest| rest.split('/').nth(1) == Some("Packages"));
            let kind = match rest {
                _ if known && is_packages && rest.matches('/').count() == 1 => "Packages",
                "source/Sources" if known => "Sources",
                _ => {
                    self.tell_of_other(&name);
                    continue;
                }
            };
            if check_component(component).is_err() {
                let reason = format!("`{component}` cannot be a component's name here");
                self.left.push(Left::package(format!("{}/{name}", relative(self.root, self.directory)), reason));
                continue;
            }
            self.index(&name, component, kind)?;
        }
        Ok(())
    }

    /// Names what is neither made anew by packhouse nor taken over.
    fn tell_of_other(&mut self, name: &str) {
        let path = self.directory.join(name);
        if !path.exists() || DERIVED.iter().any(|part| name.contains(part)) && !name.contains("debian-installer/") {
            return;
        }
        let (what, package) = if name.contains("debian-installer/") {
            (
                "packages of the Debian installer have no place in a packhouse repository",
                path.metadata().is_ok_and(|file| file.len() > 0),
            )
        } else {
            ("packhouse has no such index", false)
        };
        self.left.push(Left { path: relative(self.root, &path), reason: what.to_owned(), package });
    }

    /// Reads one index, in the first form that is there, and only if it is what the Release file says.
    fn index(&mut self, name: &str, component: &str, kind: &str) -> Result<(), RepoError> {
        let mut unreadable = None;
        for form in FORMS {
            let listed = format!("{name}{form}");
            let Some((size, checksum)) = self.release.files.get(&listed) else { continue };
            let Some(path) = self.find(&listed, checksum) else { continue };
            let bad = |reason: String| RepoError::BadState { path: path.clone(), reason };
            let length = fs_err::metadata(&path).map_err(|error| bad(error.to_string()))?.len();
            if length != *size || !checksum.matches(&path).map_err(|error| bad(error.to_string()))? {
                unreadable = Some(bad(
                    "it is not the file that the Release file names: the repository is damaged, or was being published; \
                     publish it again with the tool that made it"
                        .to_owned(),
                ));
                continue;
            }
            let reader = open_as(&path, form).map_err(|error| bad(error.to_string()))?;
            return stanzas::read(reader, &mut |stanza| {
                if kind == "Packages" {
                    self.package(&stanza, component)
                } else {
                    self.source(&stanza, component)
                }
                Ok(())
            })
            .map_err(|error| bad(error.to_string()));
        }
        match unreadable {
            Some(error) => Err(error),
            // An empty index is listed whether or not it is there.
            None if self.release.files.get(name).is_none_or(|(size, _)| *size == 0) && !self.other_forms(name) => {
                Ok(())
            }
            None => Err(RepoError::BadState {
                path: self.directory.join(name),
                reason: "it is not there as plain text, gzip, zstd or xz; publish it again in one of these forms"
                    .to_owned(),
            }),
        }
    }

    fn other_forms(&self, name: &str) -> bool {
        self.release.files.iter().any(|(listed, (size, _))| without_form(listed) == name && *size > 100)
    }

    /// A listed file under its own name, or under that of its digest.
    fn find(&self, listed: &str, checksum: &Checksum) -> Option<PathBuf> {
        let plain = self.directory.join(listed);
        if plain.is_file() {
            return Some(plain);
        }
        let Checksum::Sha256(digest) = checksum else { return None };
        let by_hash = plain.parent()?.join(format!("by-hash/SHA256/{digest}"));
        by_hash.is_file().then_some(by_hash)
    }

    fn package(&mut self, stanza: &Stanza, component: &str) {
        let name = stanza.field("Filename").unwrap_or_default().to_owned();
        self.file(&name, component, stanza.field("Size"), checksum_of(stanza));
    }

    /// A source package is its .dsc; the files beside it are found through it.
    fn source(&mut self, stanza: &Stanza, component: &str) {
        let directory = stanza.field("Directory").unwrap_or_default();
        let dsc = stanza.lines("Checksums-Sha256").map(|line| line.split_whitespace().collect::<Vec<_>>());
        let dsc =
            dsc.filter(|words| words.len() == 3).find(|words| words.get(2).is_some_and(|name| name.ends_with(".dsc")));
        let Some([digest, size, name]) = dsc.as_deref() else {
            let name = stanza.field("Package").unwrap_or_default().escape_debug().to_string();
            self.left
                .push(Left::package(format!("{directory}/{name}"), "its entry in Sources has no .dsc with a SHA-256"));
            return;
        };
        let path =
            if directory.is_empty() || directory == "." { (*name).to_owned() } else { format!("{directory}/{name}") };
        self.file(&path, component, Some(size), Checksum::parse("sha256", digest));
    }

    fn file(&mut self, name: &str, component: &str, size: Option<&str>, checksum: Option<Checksum>) {
        let name = name.strip_prefix("./").unwrap_or(name);
        let mut lose = |reason: String| self.left.push(Left::package(name.escape_debug().to_string(), reason));
        let path = match place::file(self.root, self.root, name) {
            Ok(path) => path,
            Err(reason) => return lose(reason),
        };
        let length = path.metadata().map(|file| file.len()).unwrap_or_default();
        if size.and_then(|size| size.parse().ok()) != Some(length) {
            return lose(format!("it has {length} bytes, its index says {}", size.unwrap_or("nothing").escape_debug()));
        }
        let sha256 = match checksum {
            Some(Checksum::Sha256(digest)) => Some(digest),
            Some(weaker) if weaker.matches(&path).unwrap_or_default() => None,
            Some(_) => return lose("its content is not what its index says".to_owned()),
            None => return lose("its index has no SHA-256, SHA-512 or SHA-1 of it".to_owned()),
        };
        // A package for all architectures stands in the index of each.
        if self.seen.insert(path.clone()) {
            self.items.push(Item {
                path,
                suite: relative(&self.root.join("dists"), self.directory),
                component: component.to_owned(),
                sha256,
            });
        }
    }
}

fn checksum_of(stanza: &Stanza) -> Option<Checksum> {
    let fields = [("SHA256", "sha256"), ("SHA512", "sha512"), ("SHA1", "sha1")];
    fields.into_iter().find_map(|(field, algorithm)| Checksum::parse(algorithm, stanza.field(field)?))
}

/// A by-hash file has no extension that tells its form.
fn open_as(path: &Path, form: &str) -> io::Result<Box<dyn io::BufRead>> {
    if form.is_empty() || path.to_string_lossy().ends_with(form) {
        return index::open(path);
    }
    index::open_form(path, form.trim_start_matches('.'))
}

fn without_form(name: &str) -> &str {
    [".gz", ".xz", ".zst", ".bz2", ".lzma"].iter().find_map(|form| name.strip_suffix(form)).unwrap_or(name)
}
