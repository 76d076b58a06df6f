//! The files of a package as a list that people can read: all of them when they are few, else whole directories as one
//! line each, those near the root opened first.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::format::{FileInfo, FileKind};

/// How many lines a list has at most, give or take the last directory that was opened.
const LINES: usize = 250;

/// Directories below this one are not opened: paths of packages may be thousands of directories deep.
const DEEPEST: usize = 32;

/// A file, or a directory that is not opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Line {
    /// `/usr/bin/acme`; of a directory with a slash at its end.
    pub(super) path: String,
    /// Bytes, of all files below a directory.
    pub(super) size: u64,
    /// How many files a directory has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) files: Option<usize>,
    /// Where a link leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) link: Option<String>,
    /// Whether the administrator may change it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) config: bool,
}

/// All files of a package.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Files {
    /// How many there are, directories not counted.
    pub(super) count: usize,
    /// Bytes of all of them.
    pub(super) size: u64,
    /// In order of their paths.
    pub(super) lines: Vec<Line>,
}

#[derive(Default)]
struct Directory<'a> {
    directories: BTreeMap<&'a str, Directory<'a>>,
    files: Vec<&'a FileInfo>,
    count: usize,
    size: u64,
}

/// Lists the files of a package.
pub(super) fn list(files: &[FileInfo]) -> Files {
    let mut root = Directory::default();
    for file in files.iter().filter(|file| file.kind != FileKind::Directory) {
        let size = if file.kind == FileKind::File { file.size } else { 0 };
        let mut here = &mut root;
        here.count += 1;
        here.size = here.size.saturating_add(size);
        let parent = file.path.rsplit_once('/').map_or("", |(parent, _)| parent);
        for name in parent.split('/').filter(|name| !name.is_empty()).take(DEEPEST) {
            here = here.directories.entry(name).or_default();
            here.count += 1;
            here.size = here.size.saturating_add(size);
        }
        here.files.push(file);
    }
    let mut lines = Vec::new();
    let mut waiting = VecDeque::from([(String::from("/"), &root)]);
    while let Some((path, directory)) = waiting.pop_front() {
        let entries = directory.directories.len() + directory.files.len();
        if path != "/" && lines.len() + waiting.len() + entries > LINES {
            lines.push(Line { path, size: directory.size, files: Some(directory.count), link: None, config: false });
            continue;
        }
        let shown = LINES.saturating_sub(lines.len()).max(1);
        lines.extend(directory.files.iter().take(shown).map(|file| line(file)));
        waiting.extend(directory.directories.iter().map(|(name, below)| (format!("{path}{name}/"), below)));
    }
    lines.sort_by(|left, right| left.path.cmp(&right.path));
    for line in &mut lines {
        line.path = visible(&line.path);
    }
    Files { count: root.count, size: root.size, lines }
}

fn line(file: &FileInfo) -> Line {
    let (size, link) = match file.kind {
        FileKind::File => (file.size, None),
        _ => (0, file.link.as_deref().map(visible)),
    };
    Line { path: file.path.clone(), size, files: None, link, config: file.config }
}

/// A path without what would hide or turn a part of it.
fn visible(path: &str) -> String {
    let hidden = |character: &char| {
        character.is_control()
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    path.chars().map(|character| if hidden(&character) { '\u{fffd}' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, size: u64) -> FileInfo {
        FileInfo {
            path: path.to_owned(),
            kind: FileKind::File,
            mode: 0o644,
            user: "root".to_owned(),
            group: "root".to_owned(),
            size,
            time: 0,
            link: None,
            sha256: None,
            config: false,
            missing_ok: false,
            noreplace: false,
            documentation: false,
            license: false,
            ghost: false,
            capabilities: None,
        }
    }

    #[test]
    fn few_files_are_listed_one_by_one_in_order() {
        let files = [file("/usr/bin/b", 2), file("/etc/a", 1), file("/usr/bin/a", 3)];
        let listed = list(&files);
        assert_eq!((listed.count, listed.size), (3, 6));
        let paths: Vec<&str> = listed.lines.iter().map(|line| line.path.as_str()).collect();
        assert_eq!(paths, ["/etc/a", "/usr/bin/a", "/usr/bin/b"]);
    }

    #[test]
    fn of_many_files_deep_directories_are_one_line_each_and_nothing_is_lost() {
        let mut files = vec![file("/usr/bin/acme", 10), file("/etc/acme.conf", 1)];
        for number in 0..3000 {
            files.push(file(&format!("/opt/acme/lib/module{}/part{number}.py", number % 30), 2));
        }
        let listed = list(&files);
        assert!(listed.lines.len() <= LINES, "{}", listed.lines.len());
        assert_eq!((listed.count, listed.size), (3002, 6011));
        let counted: usize = listed.lines.iter().map(|line| line.files.unwrap_or(1)).sum();
        let size: u64 = listed.lines.iter().map(|line| line.size).sum();
        assert_eq!((counted, size), (3002, 6011));
        assert!(listed.lines.iter().any(|line| line.path == "/usr/bin/acme"));
        assert!(listed.lines.iter().any(|line| line.path == "/opt/acme/lib/module7/" && line.files == Some(100)));
    }

    #[test]
    fn a_path_cannot_turn_the_direction_of_what_follows() {
        assert_eq!(list(&[file("/usr/\u{202e}gnp.exe\n", 1)]).lines[0].path, "/usr/\u{fffd}gnp.exe\u{fffd}");
    }
}
