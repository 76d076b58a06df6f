//! Tags that release a member: `<name>-v1.2.3`, `<name>/v1.2.3`, `<name>-1.2.3`, `<name>/1.2.3`, else `v1.2.3`, `1.2.3`.

use git2::{ObjectType, Odb, Oid, Repository};

use super::HistoryError;
use super::graph::Graph;
use crate::package::version::{self, Scheme};
use crate::workspace::Member;

/// A tag that leads to a commit of the graph.
#[derive(Debug, Clone)]
pub(super) struct Tag {
    /// Without `refs/tags/`.
    pub(super) name: String,
    /// The commit's position in the graph.
    pub(super) position: usize,
}

/// A tag that speaks of one member.
#[derive(Debug, Clone)]
pub(super) struct ReleaseTag {
    /// The version in it, as it is written there.
    pub(super) version: String,
    /// See [`Tag`].
    pub(super) position: usize,
    /// Whether it names the member.
    pub(super) named: bool,
}

/// All tags that are reachable, sorted by name.
pub(super) fn read(repository: &Repository, graph: &Graph) -> Result<Vec<Tag>, HistoryError> {
    let git = |source| HistoryError::git(repository, source);
    let odb = repository.odb().map_err(git)?;
    let mut tags = Vec::new();
    for reference in repository.references_glob("refs/tags/*").map_err(git)? {
        let reference = reference.map_err(git)?;
        let name = String::from_utf8_lossy(reference.name_bytes()).into_owned();
        let Some(name) = name.strip_prefix("refs/tags/") else { continue };
        let commit = reference.resolve().ok().and_then(|reference| commit_of(&odb, reference.target()?));
        if let Some(position) = commit.and_then(|commit| graph.position(commit)) {
            tags.push(Tag { name: name.to_owned(), position });
        }
    }
    tags.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(tags)
}

/// The commit that an annotated tag (of a tag, …) leads to.
fn commit_of(odb: &Odb<'_>, mut id: Oid) -> Option<Oid> {
    for _ in 0..10 {
        let object = odb.read(id).ok()?;
        if object.kind() == ObjectType::Commit {
            return Some(id);
        }
        if object.kind() != ObjectType::Tag {
            return None;
        }
        let line = object.data().split(|&byte| byte == b'\n').next()?.strip_prefix(b"object ")?;
        id = Oid::from_str(std::str::from_utf8(line).ok()?).ok()?;
    }
    None
}

/// The tags that release `member`, newest first, one per commit (the highest version); when some name it, only those.
pub(super) fn of_member(tags: &[Tag], member: &Member) -> Vec<ReleaseTag> {
    let scheme = Scheme::of(member.ecosystem);
    let names = [member.name.as_str(), member.ecosystem_name.as_str()];
    let mut found: Vec<ReleaseTag> = tags.iter().filter_map(|tag| release_tag(tag, &names, scheme)).collect();
    if found.iter().any(|tag| tag.named) {
        found.retain(|tag| tag.named);
    }
    found.sort_by(|left, right| {
        left.position.cmp(&right.position).then_with(|| {
            let spelt = |tag: &ReleaseTag| version::map(&tag.version, scheme, None, 0, 1, &plain()).map(|v| v.debian());
            match (spelt(left), spelt(right)) {
                (Ok(left), Ok(right)) => version::compare_debian(&right, &left),
                _ => std::cmp::Ordering::Equal,
            }
        })
    });
    found.dedup_by_key(|tag| tag.position);
    found
}

fn release_tag(tag: &Tag, names: &[&str], scheme: Scheme) -> Option<ReleaseTag> {
    let number = |text: &str| {
        let text = text.strip_prefix('v').unwrap_or(text);
        (text.starts_with(|first: char| first.is_ascii_digit()) && version::is_valid(text, scheme))
            .then(|| text.to_owned())
    };
    let named = names.iter().find_map(|name| number(tag.name.strip_prefix(name)?.strip_prefix(['-', '/'])?));
    let (named, version) = match named {
        Some(version) => (true, version),
        None => (false, number(&tag.name)?),
    };
    Some(ReleaseTag { version, position: tag.position, named })
}

/// A distribution to compare versions for; the order does not depend on which.
fn plain() -> crate::target::Distribution {
    crate::target::Distribution {
        name: String::new(),
        title: String::new(),
        format: crate::target::Format::Deb,
        suite: String::new(),
        revision_suffix: String::new(),
        pythons: Vec::new(),
        glibc: (0, 0),
        systemd: 0,
        compression: crate::target::Compression::Zstd,
        compression_is_asked_for: false,
        reads_zstd: true,
        rpm: None,
        suse: false,
    }
}
