//! Lines of `Contents-<architecture>`: which package has a file (DebianRepository/Format; read by apt-file(1)).
//!
//! The lines of one package stand together, so that an index is its packages' texts one after the other and a new package
//! adds its own. A path that two packages have stands twice, which is one of the format's two ways to say it. There is no
//! heading: apt ≥ 1.4 and apt-file read none.

use crate::format::FileKind;
use crate::format::deb::DebInfo;

/// A line for each file that is no directory, sorted by path: `usr/bin/acme net/acme`.
pub(super) fn lines(info: &DebInfo) -> String {
    let package = match info.field("Section").filter(|section| is_word(section)) {
        Some(section) => format!("{section}/{}", info.package()),
        None => info.package().to_owned(),
    };
    let kept = info.files.iter().filter(|file| file.kind != FileKind::Directory);
    let mut paths: Vec<&str> = kept.map(|file| file.path.trim_start_matches('/')).collect();
    paths.sort_unstable();
    paths.dedup();
    paths.iter().map(|path| format!("{path} {package}\n")).collect()
}

/// What stands after the last blank of a line, in a list with commas.
fn is_word(section: &str) -> bool {
    !section.is_empty() && section.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',')
}
