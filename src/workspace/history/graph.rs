//! The commits of one repository, read raw and put into one order.
//!
//! Commits are parsed here and not by libgit2, whose parser refuses a commit as a whole when its author or committer
//! line is malformed; one such commit somewhere in a long history must not make a project unpackageable. The order is
//! topological (children before parents), newest first, ties broken by the commits' names, so that it is the same
//! wherever the repository was cloned.

use std::collections::{BinaryHeap, HashMap};

use git2::{ObjectType, Odb, Oid, Repository};

use super::HistoryError;
use crate::package::changelog::{EARLIEST, LATEST, Subject, clean};

/// The longest subject that is kept, in characters.
const SUBJECT: usize = 500;

/// One commit.
#[derive(Debug, Clone)]
pub(super) struct Commit {
    pub(super) id: Oid,
    pub(super) tree: Oid,
    /// Indices in [`Graph::commits`].
    pub(super) parents: Vec<usize>,
    /// The committer's time, within what both formats bear.
    pub(super) time: i64,
    pub(super) author: (String, String),
    /// The first paragraph of the message as one cleaned line; empty when there is none.
    pub(super) subject: String,
}

/// All commits that lead to one.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// Newest first, children before parents.
    pub(super) commits: Vec<Commit>,
    index: HashMap<Oid, usize>,
}

impl Graph {
    /// Reads what is reachable from `head`. In a shallow clone the commits that are not there end the walk.
    pub(super) fn read(repository: &Repository, head: Oid) -> Result<Self, HistoryError> {
        let odb = repository.odb().map_err(|source| HistoryError::git(repository, source))?;
        let shallow = repository.is_shallow();
        let mut raw: HashMap<Oid, RawCommit> = HashMap::new();
        let mut pending = vec![head];
        while let Some(id) = pending.pop() {
            if raw.contains_key(&id) {
                continue;
            }
            let Some(commit) = read_commit(&odb, id) else {
                if shallow && id != head {
                    continue;
                }
                return Err(HistoryError::Missing { path: repository.path().to_path_buf(), object: id.to_string() });
            };
            pending.extend(&commit.parents);
            raw.insert(id, commit);
        }
        Ok(Self::ordered(raw))
    }

    fn ordered(mut raw: HashMap<Oid, RawCommit>) -> Self {
        let mut children: HashMap<Oid, usize> = HashMap::with_capacity(raw.len());
        for parent in raw.values().flat_map(|commit| &commit.parents) {
            *children.entry(*parent).or_default() += 1;
        }
        let ready = raw.iter().filter(|(id, _)| !children.contains_key(*id)).map(|(id, commit)| (commit.time, *id));
        let mut ready: BinaryHeap<(i64, Oid)> = ready.collect();
        let mut order = Vec::with_capacity(raw.len());
        while let Some((_, id)) = ready.pop() {
            order.push(id);
            for parent in raw.get(&id).map(|commit| commit.parents.as_slice()).unwrap_or_default() {
                let Some(count) = children.get_mut(parent) else { continue };
                *count -= 1;
                if *count == 0
                    && let Some(commit) = raw.get(parent)
                {
                    ready.push((commit.time, *parent));
                }
            }
        }
        let index: HashMap<Oid, usize> = order.iter().enumerate().map(|(number, id)| (*id, number)).collect();
        let mut commits = Vec::with_capacity(order.len());
        for id in order {
            let Some(commit) = raw.remove(&id) else { continue };
            commits.push(Commit {
                id,
                tree: commit.tree,
                parents: commit.parents.iter().filter_map(|parent| index.get(parent).copied()).collect(),
                time: commit.time,
                author: commit.author,
                subject: commit.subject,
            });
        }
        Self { commits, index }
    }

    /// Where a commit stands in [`Self::commits`].
    pub(super) fn position(&self, id: Oid) -> Option<usize> {
        self.index.get(&id).copied()
    }

    /// The first-parent line from the newest commit, newest first.
    pub(super) fn mainline(&self) -> Vec<usize> {
        let mut line = Vec::new();
        let mut next = (!self.commits.is_empty()).then_some(0);
        while let Some(position) = next {
            line.push(position);
            next = self.commits.get(position).and_then(|commit| commit.parents.first().copied());
        }
        line
    }

    /// For each commit the first of `seeds` (oldest first: position and mark) that contains it.
    pub(super) fn attribute(&self, seeds: impl IntoIterator<Item = (usize, usize)>) -> Vec<Option<usize>> {
        let mut marks = vec![None; self.commits.len()];
        for (position, mark) in seeds {
            let mut pending = vec![position];
            while let Some(position) = pending.pop() {
                if let Some(slot) = marks.get_mut(position).filter(|slot| slot.is_none()) {
                    *slot = Some(mark);
                    pending.extend(self.commits.get(position).into_iter().flat_map(|commit| &commit.parents));
                }
            }
        }
        marks
    }
}

struct RawCommit {
    tree: Oid,
    parents: Vec<Oid>,
    time: i64,
    author: (String, String),
    subject: String,
}

fn read_commit(odb: &Odb<'_>, id: Oid) -> Option<RawCommit> {
    let object = odb.read(id).ok()?;
    if object.kind() != ObjectType::Commit {
        return None;
    }
    parse_commit(object.data())
}

/// A commit object (gitformat: header lines, an empty line, the message).
fn parse_commit(data: &[u8]) -> Option<RawCommit> {
    let (header, message) = match data.windows(2).position(|pair| pair == b"\n\n") {
        Some(end) => (data.get(..end)?, data.get(end + 2..)?),
        None => (data, &[][..]),
    };
    let (mut tree, mut parents) = (None, Vec::new());
    let (mut author, mut committer, mut encoding) = (&[][..], &[][..], &[][..]);
    for line in header.split(|&byte| byte == b'\n') {
        let Some(space) = line.iter().position(|&byte| byte == b' ') else { continue };
        let (key, value) = (line.get(..space)?, line.get(space + 1..)?);
        match key {
            b"tree" => tree = Some(parse_oid(value)?),
            b"parent" => parents.push(parse_oid(value)?),
            b"author" => author = value,
            b"committer" => committer = value,
            b"encoding" => encoding = value,
            _ => {}
        }
    }
    let (name, mail, _) = parse_person(author);
    let (_, _, time) = parse_person(committer);
    let paragraph: Vec<&[u8]> = message
        .split(|&byte| byte == b'\n')
        .skip_while(|line| line.trim_ascii().is_empty())
        .take_while(|line| !line.trim_ascii().is_empty())
        .take(20)
        .map(|line| line.get(..4 * SUBJECT).unwrap_or(line))
        .collect();
    let subject = clean(&decode(&paragraph.join(&b' '), encoding));
    let subject = match breaking(message) {
        Some(footer) => with_breaking(&subject, &clean(&decode(footer, encoding))),
        None => subject,
    };
    Some(RawCommit {
        tree: tree?,
        parents,
        time: time.clamp(EARLIEST, LATEST),
        author: (decode(name, encoding), decode(mail, encoding)),
        subject: capped(&subject),
    })
}

/// What the footer `BREAKING CHANGE: …` says (Conventional Commits 1.0, 8 and 12 to 16), its first line.
fn breaking(message: &[u8]) -> Option<&[u8]> {
    message.split(|&byte| byte == b'\n').skip(1).find_map(|line| {
        let value = line.strip_prefix(b"BREAKING CHANGE: ").or_else(|| line.strip_prefix(b"BREAKING-CHANGE: "))?;
        Some(value.get(..4 * SUBJECT).unwrap_or(value))
    })
}

/// A conventional subject that says itself what its footer says; others stay as they are.
fn with_breaking(subject: &str, footer: &str) -> String {
    let Some(read) = Subject::read(subject) else { return subject.to_owned() };
    let mark = if read.breaking { "" } else { "!" };
    let (head, rest) = subject.split_at_checked(read.head).unwrap_or((subject, ""));
    let footer = if footer.is_empty() { String::new() } else { format!(" ({footer})") };
    format!("{head}{mark}{rest}{footer}")
}

fn capped(text: &str) -> String {
    match text.char_indices().nth(SUBJECT) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default().trim_end()),
    }
}

fn parse_oid(text: &[u8]) -> Option<Oid> {
    Oid::from_str(std::str::from_utf8(text).ok()?).ok()
}

/// `Name <mail> seconds zone`; what is missing is empty or 0.
fn parse_person(line: &[u8]) -> (&[u8], &[u8], i64) {
    let open = line.iter().position(|&byte| byte == b'<');
    let close = line.iter().rposition(|&byte| byte == b'>');
    let (Some(open), Some(close)) = (open, close) else { return (line, &[], 0) };
    let mail = line.get(open + 1..close).unwrap_or_default();
    let rest = line.get(close + 1..).map(<[u8]>::trim_ascii).unwrap_or_default();
    let seconds = rest.split(|&byte| byte == b' ').next().and_then(|text| std::str::from_utf8(text).ok());
    let time = seconds.map_or(0, |text| match text.parse::<i64>() {
        Ok(time) => time,
        Err(_) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => i64::MAX,
        Err(_) => 0,
    });
    (line.get(..open).unwrap_or_default(), mail, time)
}

/// The text of `bytes`: by the commit's `encoding` when it is one of the Latin-1 family, else UTF-8; bytes that are
/// neither become U+FFFD.
fn decode(bytes: &[u8], encoding: &[u8]) -> String {
    let encoding: String =
        encoding.iter().map(|&byte| char::from(byte.to_ascii_lowercase())).filter(|c| c.is_alphanumeric()).collect();
    match encoding.as_str() {
        "iso88591" | "latin1" | "l1" | "88591" => bytes.iter().map(|&byte| char::from(byte)).collect(),
        "iso885915" | "latin9" | "latin0" => bytes.iter().map(|&byte| latin9(byte)).collect(),
        "windows1252" | "cp1252" => bytes.iter().map(|&byte| windows_1252(byte)).collect(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// ISO 8859-15: Latin-1 but for eight characters.
fn latin9(byte: u8) -> char {
    match byte {
        0xa4 => '€',
        0xa6 => 'Š',
        0xa8 => 'š',
        0xb4 => 'Ž',
        0xb8 => 'ž',
        0xbc => 'Œ',
        0xbd => 'œ',
        0xbe => 'Ÿ',
        other => char::from(other),
    }
}

/// Windows-1252: Latin-1 but for 0x80 to 0x9f.
fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH.get(usize::from(byte - 0x80)).copied().unwrap_or('\u{fffd}'),
        other => char::from(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n";

    #[test]
    fn a_commit_in_another_encoding_is_decoded_by_its_header() {
        let mut data = format!("{TREE}author J").into_bytes();
        data.extend(b"\xf6rg <j@example.org> 1600000000 +0200\ncommitter x <x@x> 1600000001 +0000\n");
        data.extend(b"encoding ISO-8859-1\n\nGr\xfc\xdfe\n\nBody\n");
        let commit = parse_commit(&data).expect("a commit");
        assert_eq!(commit.author, ("Jörg ".to_owned(), "j@example.org".to_owned()));
        assert_eq!((commit.subject.as_str(), commit.time), ("Grüße", 1_600_000_001));
        assert_eq!(decode(b"\x80 \xa4", b"CP1252"), "€ ¤");
        assert_eq!(decode(b"\xa4\xe9", b"ISO-8859-15"), "€é");
        assert_eq!(decode(b"\xff", b""), "\u{fffd}");
    }

    #[test]
    fn malformed_people_and_absurd_times_do_not_hide_a_commit() {
        for (person, time) in [
            ("", EARLIEST),
            ("nobody", EARLIEST),
            ("a <b> 99999999999999999999999 +9900", LATEST),
            ("a <b> -5 +0000", EARLIEST),
            ("a <b", EARLIEST),
            ("a <b>", EARLIEST),
        ] {
            let data = format!("{TREE}author {person}\ncommitter {person}\n\nSubject");
            let commit = parse_commit(data.as_bytes()).expect("a commit");
            assert_eq!((commit.subject.as_str(), commit.time), ("Subject", time), "{person}");
        }
    }

    #[test]
    fn a_footer_that_names_a_breaking_change_is_part_of_a_conventional_subject() {
        let subject = |message: &str| {
            let data = format!("{TREE}\n\n{message}");
            parse_commit(data.as_bytes()).expect("a commit").subject
        };
        assert_eq!(subject("feat(x): a\n\nBody\n\nBREAKING CHANGE: no b\u{1b}[0m more\n"), "feat(x)!: a (no b more)");
        assert_eq!(subject("fix!: a\n\nBREAKING-CHANGE: no b\n"), "fix!: a (no b)");
        assert_eq!(subject("Plain\n\nBREAKING CHANGE: no b\n"), "Plain");
    }

    #[test]
    fn a_subject_is_one_capped_line() {
        let data = format!("{TREE}\n\n\n{}\nsecond\n\nbody", "x ".repeat(2000));
        let commit = parse_commit(data.as_bytes()).expect("a commit");
        assert!(commit.subject.chars().count() <= SUBJECT + 1);
        assert!(commit.subject.ends_with('…'));
    }
}
