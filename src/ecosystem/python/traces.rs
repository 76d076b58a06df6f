//! The safety net: nothing that was made here may tell where it was made.
//!
//! A path of the machine in a file makes the package differ from machine to machine, and is usually a defect as well (an
//! interpreter that will not be there). Looked at is everything that did not come as a locked, third-party file: those
//! cannot know.

use std::io::{self, Read};
use std::path::Path;

use regex::bytes::{Regex, RegexBuilder};

use crate::diagnostic::{Code, Diagnose, ExitCode, codes};
use crate::tree::{InstallPath, Node, Tree};

/// Places that only builds see.
const PLACES: [&str; 4] = ["/packhouse/source", "/packhouse/work", "/packhouse/environment", "/packhouse/home"];

/// A file of the tree tells where it was built.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The path that it tells.
    #[error("{file} contains the path `{trace}` of the build")]
    Trace {
        /// The file.
        file: InstallPath,
        /// The path.
        trace: String,
    },
    /// Reading a file.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Diagnose for Error {
    fn code(&self) -> &'static Code {
        match self {
            Self::Trace { .. } => &codes::BUILD_PATH_IN_FILE,
            Self::Io(error) => crate::diagnostic::io_code(error),
        }
    }

    fn exit_code(&self) -> ExitCode {
        ExitCode::Failed
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Trace { .. } => vec![
                "the package's build writes its own location into what it makes: have it use importlib.resources or __file__ \
                 at run time"
                    .to_owned(),
            ],
            Self::Io(error) => crate::diagnostic::io_hints(error),
        }
    }
}

/// Searches what was made here for the places of builds and for the cache.
pub(super) fn check(tree: &Tree, cache: &Path) -> Result<(), Error> {
    let Some(pattern) = pattern(cache) else { return Ok(()) };
    let mut content = Vec::new();
    for (path, entry) in tree.iter().filter(|(_, entry)| !entry.vendored) {
        let trace = match &entry.node {
            Node::Directory | Node::HardLink(_) => None,
            Node::Symlink(target) => pattern.find(target.as_bytes()).map(|found| found.as_bytes().to_vec()),
            Node::File(file) => {
                content.clear();
                file.open()?.read_to_end(&mut content)?;
                pattern.find(&content).map(|found| found.as_bytes().to_vec())
            }
        };
        if let Some(trace) = trace {
            return Err(Error::Trace { file: path.clone(), trace: String::from_utf8_lossy(&trace).into_owned() });
        }
    }
    Ok(())
}

/// Any of the places; `None` only if it cannot be made, which literal texts do not do.
fn pattern(cache: &Path) -> Option<Regex> {
    let cache = cache.to_string_lossy();
    let mut places: Vec<String> = PLACES.iter().map(|place| regex::escape(place)).collect();
    // A cache at `/x` would be found in any text.
    if cache.matches('/').count() >= 2 {
        places.push(regex::escape(&cache));
    }
    RegexBuilder::new(&places.join("|")).unicode(false).build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Content, Entry};

    #[test]
    fn a_file_that_tells_where_it_was_built_is_named_unless_it_is_third_party() {
        let path = InstallPath::parse("/usr/lib/acme/api/x.py").unwrap();
        let cache = Path::new("/home/someone/.cache/packhouse");
        for (text, clean) in [
            ("x = 1", true),
            ("x = '/packhouse/source/x.py'", false),
            ("x = '/home/someone/.cache/packhouse/tmp/y'", false),
            ("x = '/home/someone'", true),
        ] {
            let content = Content::bytes(text.as_bytes());
            let mut tree = Tree::new();
            tree.file(path.clone(), content.clone(), 0o644).unwrap();
            assert_eq!(check(&tree, cache).is_ok(), clean, "{text}");
            let mut vendored = Tree::new();
            vendored.insert(path.clone(), Entry::root(Node::File(content), 0o644).vendored()).unwrap();
            check(&vendored, cache).unwrap();
        }
        let mut tree = Tree::new();
        tree.symlink(path, "/packhouse/environment/bin/python").unwrap();
        assert!(check(&tree, cache).unwrap_err().to_string().contains("/packhouse/environment"));
    }
}
