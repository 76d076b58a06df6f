//! The files that entries of `files` name, found where cargo has put them.
//!
//! Cargo's target directory is kept from build to build and shared by the crates of a repository, so that not everything in
//! it was made just now: a program counts when cargo says that it is of this build, a build script's file when the script
//! belongs to it. What no target of cargo makes is taken from the repository's own target directory, where another program
//! may have put it.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use globset::GlobMatcher;
use walkdir::WalkDir;

use super::error::RustError;
use super::kept::Built;
use crate::config::FileSource;
use crate::config::value::stays_inside;

/// Directories that are cargo's own business.
const INTERNAL: [&str; 4] = ["build", "deps", "incremental", ".fingerprint"];

/// The name of a profile's directory (the Cargo book, "Build Cache").
pub(super) fn profile_directory(profile: &str) -> &str {
    match profile {
        "dev" | "test" => "debug",
        "bench" => "release",
        custom => custom,
    }
}

/// Where files are looked for.
pub(super) struct Places<'a> {
    /// The service, for messages.
    pub(super) service: &'a str,
    /// The repository's root, absolute.
    pub(super) root: &'a Path,
    /// The crate's directory, absolute.
    pub(super) directory: &'a Path,
    /// `target/<profile>/`, absolute, as cargo has just left it.
    pub(super) results: &'a Path,
    /// What cargo made; `None` to believe what is there.
    pub(super) built: Option<&'a Built>,
}

impl Places<'_> {
    /// Each file that `sources` name: by its path below `target/<profile>/`, its place.
    pub(super) fn find<'a>(
        &self,
        sources: impl Iterator<Item = &'a FileSource>,
    ) -> Result<BTreeMap<PathBuf, PathBuf>, RustError> {
        let mut all = BTreeMap::new();
        for source in sources {
            match source {
                FileSource::Built { path, literal } => {
                    let place = Some(self.results.join(path)).filter(|place| self.counts(path) && place.is_file());
                    let place = place.or_else(|| self.literal(literal).filter(|place| place.is_file()));
                    let place = place.ok_or_else(|| self.missing(path.display().to_string()))?;
                    all.insert(path.clone(), place);
                }
                FileSource::BuiltGlob { base, pattern, literal } => {
                    let mut found = self.matching(&self.results.join(base), base, pattern);
                    if let Some(place) = self.literal(literal).filter(|_| found.is_empty()) {
                        found = self.matching(&place, base, pattern);
                    }
                    if found.is_empty() {
                        return Err(self.missing(pattern.glob().glob().to_owned()));
                    }
                    all.extend(found);
                }
                FileSource::Path(_) | FileSource::Glob { .. } => {}
            }
        }
        Ok(all)
    }

    /// A place in the repository's own target directory.
    fn literal(&self, literal: &Path) -> Option<PathBuf> {
        let place = self.directory.join(literal);
        (!literal.as_os_str().is_empty() && place.exists() && stays_inside(self.root, &place)).then_some(place)
    }

    fn matching(&self, top: &Path, base: &Path, pattern: &GlobMatcher) -> Vec<(PathBuf, PathBuf)> {
        let mut found = Vec::new();
        let is_wanted = |entry: &walkdir::DirEntry| {
            let name = entry.file_name().to_str().unwrap_or_default();
            entry.depth() != 1 || !base.as_os_str().is_empty() || name == "build" || !INTERNAL.contains(&name)
        };
        for entry in WalkDir::new(top).into_iter().filter_entry(is_wanted).filter_map(Result::ok) {
            let Ok(below) = entry.path().strip_prefix(top) else { continue };
            let path = base.join(below);
            if entry.path().is_file() && pattern.is_match(&path) && self.counts(&path) {
                found.push((path, entry.path().to_path_buf()));
            }
        }
        found
    }

    /// Whether what is at `path` below the results is of this build.
    fn counts(&self, path: &Path) -> bool {
        let Some(built) = self.built else { return true };
        if path.starts_with("build") {
            return built.outs.iter().any(|out| path.starts_with(out));
        }
        let is_cargos = match path.extension().and_then(|extension| extension.to_str()) {
            Some(extension) => ["so", "a", "rlib", "rmeta", "d", "dwp"].contains(&extension),
            // Beside each program that cargo makes lies a list of what it was made from.
            None => self.results.join(path.with_extension("d")).is_file(),
        };
        built.files.contains(path) || !is_cargos
    }

    fn missing(&self, file: String) -> RustError {
        let built = self.built.map(|built| built.files.iter().map(|path| path.display().to_string()).collect());
        RustError::NoFile { service: self.service.to_owned(), file, built: built.unwrap_or_default() }
    }
}

/// Whether somebody may execute the file.
pub(super) fn is_executable(path: &Path) -> std::io::Result<bool> {
    Ok(fs_err::metadata(path)?.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    fn glob(pattern: &str, base: &str) -> FileSource {
        let pattern = globset::GlobBuilder::new(pattern).literal_separator(true).build().unwrap().compile_matcher();
        FileSource::BuiltGlob {
            base: base.into(),
            pattern: Box::new(pattern),
            literal: format!("target/release/{base}").into(),
        }
    }

    fn file(path: &str) -> FileSource {
        FileSource::Built { path: path.into(), literal: format!("target/release/{path}").into() }
    }

    #[test]
    fn only_what_this_build_made_is_found_and_then_what_others_made_in_the_repository() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().canonicalize().unwrap();
        for path in [
            "cache/tool",
            "cache/tool.d",
            "cache/stale",
            "cache/stale.d",
            "cache/libtool.so",
            "cache/libtool.d",
            "cache/build/tool-1/out/tool.1",
            "cache/build/tool-0/out/tool.1",
            "cache/deps/tool-1",
            "target/release/tool.bash",
            "target/release/man/a.1",
        ] {
            let path = root.join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, "x").unwrap();
        }
        let built = Built {
            files: ["tool", "libtool.so"].map(PathBuf::from).into(),
            outs: [PathBuf::from("build/tool-1/out")].into(),
            ..Built::default()
        };
        let results = root.join("cache");
        let places = Places { service: "tool", root: &root, directory: &root, results: &results, built: Some(&built) };
        let find = |source: FileSource| match places.find([&source].into_iter()) {
            Ok(found) => found.into_keys().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" "),
            Err(error) => error.to_string(),
        };
        assert_eq!(find(file("tool")), "tool");
        assert_eq!(find(file("libtool.so")), "libtool.so");
        assert!(find(file("stale")).contains("no file `stale`"), "{}", find(file("stale")));
        assert_eq!(find(file("tool.bash")), "tool.bash", "another program made it");
        assert_eq!(find(glob("t*", "")), "tool");
        assert_eq!(find(glob("build/tool-*/out/*.1", "build")), "build/tool-1/out/tool.1");
        assert_eq!(find(glob("man/*.1", "man")), "man/a.1");
        assert!(find(glob("nothing*", "")).contains("no file `nothing*`"));
    }
}
