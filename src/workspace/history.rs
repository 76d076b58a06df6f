//! What git knows of a service: its version, its changes and the time of the last one.
//!
//! Repositories are read as data, with libgit2: no git command is run, so that neither hooks nor fsmonitor, filters,
//! aliases or a pager of the repository's configuration can run. A repository that belongs to another user is refused
//! unless `safe.directory` names it, by the same rule as git's (CVE-2022-24765): nothing of such a repository would be
//! run here, but what is packaged from it would be as trusted as its owner, and git's users know the rule and its remedy.
//!
//! Every repository (the workspace's own and those of its submodules) is walked once for all members. A change counts
//! for a service when it touches the service's directory or that of a library that it uses; merges count when they
//! bring something that none of their parents has.
//!
//! Without commits there is no time to take: 1985-01-01 stands in for it ([`EARLIEST`]), unless `SOURCE_DATE_EPOCH` is
//! set, because the same sources must give the same bytes on every day. In an unpacked source distribution of Python
//! there is one: that of its PKG-INFO, which the archive says and unpacking restores. It is believed where it is older
//! than the file's arrival here, and none of those that stand for a time that was lost.

mod graph;
mod manifest;
mod paths;
mod tags;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use git2::{ErrorCode, Repository};
use serde::Serialize;

use self::graph::Graph;
use self::manifest::{Versions, ancestors};
use self::paths::{Touched, Watch, Watched};
use self::tags::{ReleaseTag, Tag};
use crate::config::{Maintainer, Settings};
use crate::diagnostic::{Code, Diagnose, ExitCode, codes};
use crate::package::changelog::{EARLIEST, LATEST, person};
use crate::package::version::{self, Scheme, Snapshot};
use crate::package::{Changelog, Release, Version};
use crate::target::Distribution;
use crate::variables;
use crate::workspace::{EcosystemKind, Member, Workspace};

/// At most so many changes are listed in a package's changelog; what is older is counted.
pub const MOST_CHANGES: usize = 1000;
/// At most so many releases are listed.
pub const MOST_RELEASES: usize = 100;

/// What git cannot tell.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// Neither the configuration nor the manifest nor a tag has a version.
    #[error("{name} has no version: {why}")]
    NoVersion {
        /// The service.
        name: String,
        /// Where was looked.
        why: String,
        /// What to do.
        hint: String,
    },
    /// libgit2 could not read the repository.
    #[error("cannot read the git repository {}: {}", path.display(), source.message())]
    Repository {
        /// Its directory.
        path: PathBuf,
        /// The reason.
        source: git2::Error,
    },
    /// An object is missing or damaged.
    #[error("the git repository {} lacks the object {object}, or it is damaged", path.display())]
    Missing {
        /// The repository's git directory.
        path: PathBuf,
        /// The object's name.
        object: String,
    },
    /// The history ends before its beginning.
    #[error("the git repository {} is a shallow clone: what changed in {name}, and when, cannot be known", path.display())]
    Shallow {
        /// The repository's git directory.
        path: PathBuf,
        /// The service.
        name: String,
    },
    /// A submodule without files.
    #[error("the submodule {} is not checked out", path.display())]
    NotCheckedOut {
        /// The submodule, relative to the root.
        path: PathBuf,
    },
    /// `SOURCE_DATE_EPOCH` is no time.
    #[error("SOURCE_DATE_EPOCH is `{}`, which is no number of seconds from 0 to {LATEST}", text.escape_debug())]
    SourceDateEpoch {
        /// Its value.
        text: String,
    },
}

impl HistoryError {
    fn git(repository: &Repository, source: git2::Error) -> Self {
        Self::Repository { path: repository.path().to_path_buf(), source }
    }
}

impl Diagnose for HistoryError {
    fn code(&self) -> &'static Code {
        match self {
            Self::NoVersion { .. } => &codes::NO_VERSION,
            Self::Repository { .. } | Self::Missing { .. } => &codes::GIT_UNREADABLE,
            Self::Shallow { .. } => &codes::SHALLOW_CLONE,
            Self::NotCheckedOut { .. } => &codes::SUBMODULE_NOT_CHECKED_OUT,
            Self::SourceDateEpoch { .. } => &codes::INVALID_SOURCE_DATE_EPOCH,
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            Self::NoVersion { .. } | Self::SourceDateEpoch { .. } => ExitCode::Usage,
            Self::Repository { .. } | Self::Missing { .. } => ExitCode::Failed,
            Self::Shallow { .. } | Self::NotCheckedOut { .. } => ExitCode::Environment,
        }
    }

    fn hints(&self) -> Vec<String> {
        vec![match self {
            Self::NoVersion { hint, .. } => hint.clone(),
            Self::Repository { path, source } if source.code() == ErrorCode::Owner => format!(
                "it belongs to another user; if you trust it: `git config --global --add safe.directory {}`",
                path.display()
            ),
            Self::Repository { .. } => "see whether `git fsck` finds something".to_owned(),
            Self::Missing { .. } => "a partial clone? fetch everything: `git fetch --refetch --no-filter`".to_owned(),
            Self::Shallow { .. } => {
                "fetch the rest: `git fetch --unshallow --tags` (in CI: a clone depth of 0)".to_owned()
            }
            Self::NotCheckedOut { .. } => "run `git submodule update --init --recursive`".to_owned(),
            Self::SourceDateEpoch { .. } => "`unset SOURCE_DATE_EPOCH` to take the time of the last change".to_owned(),
        }]
    }
}

/// Where a version came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum VersionOrigin {
    /// `version` of the service's table in the configuration.
    Setting,
    /// The manifest.
    Manifest,
    /// A git tag.
    Tag,
}

/// The version of a service as its source has it; [`crate::package::version::map`] spells it for a distribution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceVersion {
    /// As it is written there, without a tag's prefix.
    pub text: String,
    /// How it is to be read.
    pub scheme: Scheme,
    /// How far the source is past the tag; `None` at the tag and for other origins.
    pub snapshot: Option<Snapshot>,
    /// Where it stands.
    pub from: VersionOrigin,
}

impl SourceVersion {
    /// As the language itself would spell it: past a tag, with the commits since as PEP 440's local part or SemVer's build.
    pub fn spelt(&self) -> String {
        match &self.snapshot {
            None => self.text.clone(),
            Some(snapshot) => {
                let joint = if self.text.contains('+') { '.' } else { '+' };
                format!("{}{joint}{}.g{}", self.text, snapshot.count, snapshot.commit)
            }
        }
    }
}

/// What a changelog is made for.
#[derive(Debug, Clone, Copy)]
pub struct ChangelogRequest<'a> {
    /// The service.
    pub member: &'a Member,
    /// The version being built, as its source has it.
    pub source: &'a SourceVersion,
    /// The same, mapped: the first release.
    pub version: &'a Version,
    /// Who signs the first release, and those whose author cannot be told.
    pub maintainer: &'a Maintainer,
    /// The time of the first release: [`History::source_date_epoch`].
    pub time: i64,
    /// Whose revision suffix older releases get.
    pub distribution: &'a Distribution,
}

/// The history of a workspace: its repository's and its submodules', walked once for all members.
#[derive(Debug)]
pub struct History<'a> {
    workspace: &'a Workspace,
    repositories: Vec<RepositoryHistory>,
    /// For each member: which repository, its directory there, its watches.
    places: Vec<Option<Place>>,
}

#[derive(Debug)]
struct RepositoryHistory {
    /// The git directory.
    path: PathBuf,
    shallow: bool,
    graph: Graph,
    touched: Touched,
    tags: Vec<Tag>,
    /// The repository that this one is a submodule of, and the number of the watch on the submodule's path there.
    parent: Option<(usize, usize)>,
}

#[derive(Debug, Clone)]
struct Place {
    repository: usize,
    /// Relative to the repository's working directory.
    directory: PathBuf,
    /// The watch on the directory.
    own: usize,
    /// Watches on manifests of the workspaces around it.
    manifests: Vec<usize>,
    /// Watches on locks around it.
    locks: Vec<usize>,
}

/// One change of a service's timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Change {
    /// Position in the home repository's graph.
    position: usize,
    repository: usize,
    /// Position in its own repository's graph.
    commit: usize,
}

impl<'a> History<'a> {
    /// Reads the history of everything in `workspace`. Without a git repository, or in one without commits, it is empty.
    pub fn open(workspace: &'a Workspace) -> Result<Self, HistoryError> {
        let mut history = Self { workspace, repositories: Vec::new(), places: vec![None; workspace.members.len()] };
        let mut opened: BTreeMap<PathBuf, usize> = BTreeMap::new();
        let mut plans = Vec::new();
        if let Some((repository, prefix)) = open_root(&workspace.root)? {
            opened.insert(PathBuf::new(), 0);
            plans.push(Plan { repository, prefix, base: PathBuf::new(), watch: Watch::new(), parent: None });
        }
        for submodule in submodules(workspace) {
            let outer = submodule.ancestors().skip(1).find_map(|outer| opened.get(outer)).copied();
            let directory = workspace.root.join(&submodule);
            let repository = Repository::open(&directory).map_err(|source| match source.code() {
                ErrorCode::NotFound => HistoryError::NotCheckedOut { path: submodule.clone() },
                _ => HistoryError::Repository { path: directory.clone(), source },
            })?;
            let parent = outer.and_then(|outer| {
                let plan: &mut Plan = plans.get_mut(outer)?;
                let path = plan.inside(&submodule);
                Some((outer, plan.watch.add(&path, Watched::Own)))
            });
            opened.insert(submodule.clone(), plans.len());
            plans.push(Plan { repository, prefix: PathBuf::new(), base: submodule, watch: Watch::new(), parent });
        }
        for (member, place) in workspace.members.iter().zip(&mut history.places) {
            let home = opened.get(member.submodule.as_deref().unwrap_or(Path::new("")));
            *place = home.and_then(|&home| Some(plans.get_mut(home)?.place(home, member)));
        }
        for plan in plans {
            history.repositories.push(plan.read()?);
        }
        Ok(history)
    }

    /// Whether there is any commit in the repository that `member` lives in.
    pub fn has_commits(&self, member: &Member) -> bool {
        self.home(member).is_some_and(|(_, home)| !home.graph.commits.is_empty())
    }

    /// The version of `member`: the configuration's, else the manifest's, else the nearest tag's.
    pub fn source_version(&self, member: &Member, settings: &Settings) -> Result<SourceVersion, HistoryError> {
        let scheme = Scheme::of(member.ecosystem);
        let plain = |text: &str, from| SourceVersion { text: text.to_owned(), scheme, snapshot: None, from };
        if let Some(text) = settings.service(&member.name).version {
            return Ok(plain(&text, VersionOrigin::Setting));
        }
        if let Some(text) = &member.version {
            return Ok(plain(text, VersionOrigin::Manifest));
        }
        let none = |why: &str, hint: String| HistoryError::NoVersion {
            name: member.name.to_string(),
            why: format!("{} does not say one, and {why}", member.manifest.display()),
            hint,
        };
        let write = format!("write `version = \"0.1.0\"` under [services.{}] in packhouse.toml", member.name);
        let Some((_, home)) = self.home(member) else {
            return Err(none("there is no git repository whose tags could tell", write));
        };
        if home.graph.commits.is_empty() {
            return Err(none("the git repository has no commits", write));
        }
        let found = tags::of_member(&home.tags, member);
        let Some(tag) = found.first() else {
            if home.shallow {
                return Err(HistoryError::Shallow { path: home.path.clone(), name: member.name.to_string() });
            }
            let hint = format!("tag the release: git tag {}-v0.1.0, or {write}", member.name);
            return Err(none("no tag like v1.2.3 leads to the checked-out commit", hint));
        };
        let snapshot = home.snapshot(tag.position);
        Ok(SourceVersion { text: tag.version.clone(), scheme, snapshot, from: VersionOrigin::Tag })
    }

    /// The time that stands in everything made from `member`: `SOURCE_DATE_EPOCH` if it is set, else the committer's
    /// time of the last commit that touches it, a library that it uses, or a lock; without commits the time of an unpacked
    /// source distribution, else [`EARLIEST`].
    pub fn source_date_epoch(&self, member: &Member) -> Result<i64, HistoryError> {
        if let Some(text) = variables::source_date_epoch() {
            return parse_source_date_epoch(&text);
        }
        self.last_change(member)
    }

    /// [`Self::source_date_epoch`] without the environment.
    pub fn last_change(&self, member: &Member) -> Result<i64, HistoryError> {
        let Some((number, _)) = self.home(member).filter(|(_, home)| !home.graph.commits.is_empty()) else {
            let members = std::iter::once(member).chain(self.workspace.closure(member));
            let made = members.filter_map(|member| made(&self.workspace.directory(member).join("PKG-INFO")));
            return Ok(made.max().unwrap_or(EARLIEST));
        };
        self.refuse_shallow(member)?;
        let newest = self.time(number, 0);
        let Some(last) = self.timeline(member, number, true).into_iter().min() else { return Ok(newest) };
        // What came from a submodule is as young as the commit that took it in.
        let time = self.time(last.repository, last.commit).max(if last.repository == number {
            EARLIEST
        } else {
            self.time(number, last.position)
        });
        Ok(time.min(newest).max(EARLIEST))
    }

    /// The changes of a service, grouped into releases: by the tags that release it, else by the version that its
    /// manifest had when the change came into the main line. Nothing is dropped: versions that cannot be read or do not
    /// descend join the release above them, and what is beyond [`MOST_CHANGES`] is counted in the last line.
    pub fn changelog(&self, request: &ChangelogRequest<'_>) -> Result<Changelog, HistoryError> {
        let ChangelogRequest { member, version, maintainer, .. } = *request;
        let current = || Release {
            version: version.clone(),
            time: request.time,
            author: person(&maintainer.name, &maintainer.mail),
            changes: Vec::new(),
        };
        let mut releases = vec![current()];
        if let Some((number, home)) = self.home(member).filter(|(_, home)| !home.graph.commits.is_empty()) {
            self.refuse_shallow(member)?;
            let mut timeline = self.timeline(member, number, false);
            let boundaries = self.boundaries(request, number, home, &mut timeline)?;
            self.fill(request, number, &boundaries, &timeline, &mut releases);
        }
        for release in &mut releases {
            if release.changes.is_empty() {
                release.changes.push(format!("Packaged {} {}.", member.name, release.version.debian));
            }
        }
        let mut latest = None;
        for release in &mut releases {
            let time = release.time.clamp(EARLIEST, LATEST);
            release.time = latest.map_or(time, |latest: i64| time.min(latest - 1).max(EARLIEST));
            latest = Some(release.time);
        }
        Ok(Changelog { releases })
    }

    fn home(&self, member: &Member) -> Option<(usize, &RepositoryHistory)> {
        let place = self.place(member)?;
        Some((place.repository, self.repositories.get(place.repository)?))
    }

    fn place(&self, member: &Member) -> Option<&Place> {
        let number =
            self.workspace.members.iter().position(|other| other.path == member.path && other.name == member.name)?;
        self.places.get(number)?.as_ref()
    }

    fn refuse_shallow(&self, member: &Member) -> Result<(), HistoryError> {
        let members = std::iter::once(member).chain(self.workspace.closure(member));
        for (_, history) in members.filter_map(|member| self.home(member)) {
            if history.shallow {
                return Err(HistoryError::Shallow { path: history.path.clone(), name: member.name.to_string() });
            }
        }
        Ok(())
    }

    /// Everything that touches `member` or a library that it uses, newest first.
    fn timeline(&self, member: &Member, home: usize, with_locks: bool) -> Vec<Change> {
        let mut changes = BTreeSet::new();
        let mut positions: HashMap<usize, Vec<usize>> = HashMap::new();
        for member in std::iter::once(member).chain(self.workspace.closure(member)) {
            let Some(place) = self.place(member) else { continue };
            let Some(history) = self.repositories.get(place.repository) else { continue };
            let landed = positions.entry(place.repository).or_insert_with(|| self.positions(home, place.repository));
            let locks = place.locks.iter().chain(&place.manifests).filter(|_| with_locks);
            for watch in std::iter::once(&place.own).chain(locks) {
                for &commit in history.touched.commits.get(*watch).map(Vec::as_slice).unwrap_or_default() {
                    let position = landed.get(commit).copied().unwrap_or(0);
                    changes.insert(Change { position, repository: place.repository, commit });
                }
            }
        }
        changes.into_iter().collect()
    }

    /// For each commit of the repository `other`: with which commit of `home` it came. In a submodule below `home` that
    /// is the oldest commit whose submodule contains it; what no commit contains yet came with the newest. Elsewhere the
    /// time decides.
    fn positions(&self, home: usize, other: usize) -> Vec<usize> {
        let (Some(home_history), Some(history)) = (self.repositories.get(home), self.repositories.get(other)) else {
            return Vec::new();
        };
        let count = history.graph.commits.len();
        if home == other {
            return (0..count).collect();
        }
        if let Some((parent, watch)) = history.parent.filter(|(parent, _)| self.is_within(*parent, home)) {
            let outer = self.positions(home, parent);
            let Some(parent) = self.repositories.get(parent) else { return vec![0; count] };
            let named = parent.touched.commits.get(watch).map(Vec::as_slice).unwrap_or_default();
            let seeds = named.iter().rev().filter_map(|&commit| {
                let link = parent.touched.links.get(&(watch, commit))?;
                Some((history.graph.position(*link)?, commit))
            });
            let marks = history.graph.attribute(seeds);
            return marks.into_iter().map(|mark| mark.and_then(|mark| outer.get(mark).copied()).unwrap_or(0)).collect();
        }
        let mut times: Vec<(i64, usize)> =
            home_history.graph.commits.iter().enumerate().map(|(position, commit)| (commit.time, position)).collect();
        times.sort_unstable();
        let position = |time: i64| {
            let first = times.partition_point(|(other, _)| *other < time);
            times.get(first).map_or(0, |(_, position)| *position)
        };
        history.graph.commits.iter().map(|commit| position(commit.time)).collect()
    }

    fn is_within(&self, repository: usize, outer: usize) -> bool {
        let mut at = Some(repository);
        while let Some(number) = at {
            if number == outer {
                return true;
            }
            at = self.repositories.get(number).and_then(|history| history.parent).map(|(parent, _)| parent);
        }
        false
    }

    /// Which release each commit of the home repository belongs to, and those releases' versions, newest first.
    fn boundaries(
        &self,
        request: &ChangelogRequest<'_>,
        number: usize,
        home: &RepositoryHistory,
        timeline: &mut Vec<Change>,
    ) -> Result<Boundaries, HistoryError> {
        let git = |source| HistoryError::Repository { path: home.path.clone(), source };
        let repository = Repository::open(&home.path).map_err(git)?;
        let odb = repository.odb().map_err(git)?;
        let Some(place) = self.place(request.member) else { return Ok(Boundaries::default()) };
        let versions = Versions::new(&odb, request.member.ecosystem, &place.directory);
        // A version is read once for all commits in which the manifests, and what is beside them, are the same.
        let mut known: HashMap<Vec<u32>, Option<String>> = HashMap::new();
        let mut at = |position: usize| {
            let tree = home.graph.commits.get(position)?.tree;
            let state = home.touched.state(position, std::iter::once(place.own).chain(place.manifests.iter().copied()));
            known.entry(state).or_insert_with(|| versions.at(tree)).clone()
        };
        let by_manifest = request.source.from == VersionOrigin::Manifest;
        let tags: Vec<ReleaseTag> = tags::of_member(&home.tags, request.member)
            .into_iter()
            .filter(|tag| tag.named || !by_manifest || at(tag.position).as_deref() == Some(tag.version.as_str()))
            .collect();
        // A version that a manifest inherits changes outside the member's directory.
        for &commit in place.manifests.iter().filter_map(|watch| home.touched.commits.get(*watch)).flatten() {
            let parent = home.graph.commits.get(commit).and_then(|commit| commit.parents.first().copied());
            if at(commit).is_some() && parent.is_some_and(|parent| at(parent) != at(commit)) {
                timeline.push(Change { position: commit, repository: number, commit });
            }
        }
        timeline.sort_unstable();
        timeline.dedup();
        if !tags.is_empty() {
            let seeds = tags.iter().enumerate().rev().map(|(mark, tag)| (tag.position, mark));
            let of = home.graph.attribute(seeds);
            let starts = tags.into_iter().map(|tag| Start { version: Some(tag.version), position: tag.position });
            return Ok(Boundaries { of, starts: starts.collect() });
        }
        let mainline = home.graph.mainline();
        let of = home.graph.attribute(mainline.iter().enumerate().rev().map(|(mark, &position)| (position, mark)));
        let starts =
            mainline.iter().map(|&position| Start { version: by_manifest.then(|| at(position)).flatten(), position });
        Ok(Boundaries { of, starts: starts.collect() })
    }

    /// Puts the changes into releases; the first one is there already.
    fn fill(
        &self,
        request: &ChangelogRequest<'_>,
        home: usize,
        boundaries: &Boundaries,
        timeline: &[Change],
        releases: &mut Vec<Release>,
    ) {
        let scheme = request.source.scheme;
        let map = |text: &str| version::map(text, scheme, None, request.version.epoch, 1, request.distribution).ok();
        let mut by_start: BTreeMap<Option<usize>, Vec<Change>> = BTreeMap::new();
        for change in timeline {
            by_start.entry(boundaries.of.get(change.position).copied().flatten()).or_default().push(*change);
        }
        let mut groups: Vec<Group> = vec![(None, Vec::new())];
        // `None`, the changes that no release contains yet, sorts first.
        for (start, changes) in by_start {
            let start = start.and_then(|start| boundaries.starts.get(start));
            if let Some((start, text)) = start.and_then(|start| Some((start, start.version.as_deref()?)))
                && request.source.snapshot.is_none().then_some(request.source.text.as_str()) != Some(text)
                && let Some(version) = map(text)
                && let newer = groups.iter().rev().find_map(|(group, _)| group.as_ref().map(|(version, _)| version))
                && is_older(&version, newer.unwrap_or(request.version))
            {
                groups.push((Some((version, start.position)), Vec::new()));
            }
            if let Some((_, all)) = groups.last_mut() {
                all.extend(changes);
            }
        }
        let mut listed = 0;
        let mut beyond = 0;
        for (number, (group, mut changes)) in groups.into_iter().enumerate() {
            if number >= MOST_RELEASES || listed >= MOST_CHANGES {
                beyond += changes.len();
                continue;
            }
            changes.sort_unstable();
            if let Some((version, position)) = group {
                let newest = changes.first().and_then(|change| self.commit(*change));
                let Maintainer { name, mail } = request.maintainer;
                let author =
                    newest.map_or_else(|| person(name, mail), |commit| person(&commit.author.0, &commit.author.1));
                releases.push(Release { version, time: self.time(home, position), author, changes: Vec::new() });
            }
            let Some(release) = releases.last_mut() else { continue };
            beyond += changes.len().saturating_sub(MOST_CHANGES - listed);
            for commit in changes.iter().take(MOST_CHANGES - listed).filter_map(|change| self.commit(*change)) {
                release.changes.push(match commit.subject.as_str() {
                    "" => format!("Commit {} (without a message)", abbreviated(commit.id)),
                    subject => subject.to_owned(),
                });
            }
            listed += changes.len();
        }
        if let Some(last) = releases.last_mut().filter(|_| beyond > 0) {
            last.changes.push(format!("… and {beyond} earlier changes"));
        }
    }

    fn commit(&self, change: Change) -> Option<&graph::Commit> {
        self.repositories.get(change.repository)?.graph.commits.get(change.commit)
    }

    fn time(&self, repository: usize, position: usize) -> i64 {
        let commit = self.repositories.get(repository).and_then(|history| history.graph.commits.get(position));
        commit.map_or(EARLIEST, |commit| commit.time)
    }
}

/// When an unpacked file was made, by its archive: its time of modification, if that is older than the inode. Many back
/// ends write 1970 or 1980 into their archives, which distributions take for damage.
fn made(path: &Path) -> Option<i64> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = fs_err::symlink_metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    let is_old = metadata.mtime() + 2 <= metadata.ctime();
    (is_old && (EARLIEST..=LATEST).contains(&metadata.mtime())).then(|| metadata.mtime())
}

fn is_older(version: &Version, than: &Version) -> bool {
    version::compare_debian(&version.debian, &than.debian).is_lt()
        && version::compare_rpm(&version.rpm, &than.rpm).is_lt()
}

/// Reads a value of `SOURCE_DATE_EPOCH` (<https://reproducible-builds.org/specs/source-date-epoch/>).
pub fn parse_source_date_epoch(text: &str) -> Result<i64, HistoryError> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let time = digits.then(|| text.parse::<i64>().ok()).flatten().filter(|time| *time <= LATEST);
    time.ok_or_else(|| HistoryError::SourceDateEpoch { text: text.to_owned() })
}

fn abbreviated(id: git2::Oid) -> String {
    id.to_string().chars().take(8).collect()
}

/// Where releases begin, seen from the newest.
#[derive(Debug, Default)]
struct Boundaries {
    /// For each commit of the home repository the release that it came with, as an index into `starts`.
    of: Vec<Option<usize>>,
    /// Newest first.
    starts: Vec<Start>,
}

/// A release below the first one (its version and its commit in the home repository), and what came with it.
type Group = (Option<(Version, usize)>, Vec<Change>);

#[derive(Debug)]
struct Start {
    version: Option<String>,
    /// The commit, in the home repository.
    position: usize,
}

impl RepositoryHistory {
    /// How far the newest commit is past the one at `position`.
    fn snapshot(&self, position: usize) -> Option<Snapshot> {
        let head = self.graph.commits.first()?;
        if position == 0 {
            return None;
        }
        let contained = self.graph.attribute([(position, 0)]);
        let is_new = |position: &&usize| contained.get(**position).copied().flatten().is_none();
        let count = self.graph.mainline().iter().take_while(is_new).count();
        Some(Snapshot { count: count as u64, commit: abbreviated(head.id) })
    }
}

/// A repository that is about to be read.
struct Plan {
    repository: Repository,
    /// The workspace's root, relative to the working directory; empty for submodules.
    prefix: PathBuf,
    /// The submodule, relative to the workspace's root.
    base: PathBuf,
    watch: Watch,
    parent: Option<(usize, usize)>,
}

impl Plan {
    /// A path of the workspace as this repository has it.
    fn inside(&self, path: &Path) -> PathBuf {
        self.prefix.join(path.strip_prefix(&self.base).unwrap_or(path))
    }

    fn place(&mut self, number: usize, member: &Member) -> Place {
        let directory = self.inside(&member.path);
        let own = self.watch.add(&directory, Watched::Own);
        let (mut manifests, mut locks) = (Vec::new(), Vec::new());
        if member.ecosystem == EcosystemKind::Rust {
            for outer in ancestors(&directory).into_iter().skip(1) {
                manifests.push(self.watch.add(&outer.join("Cargo.toml"), Watched::Shared));
                locks.push(self.watch.add(&outer.join("Cargo.lock"), Watched::Shared));
            }
        }
        Place { repository: number, directory, own, manifests, locks }
    }

    fn read(self) -> Result<RepositoryHistory, HistoryError> {
        let git = |source| HistoryError::git(&self.repository, source);
        let head = match self.repository.head() {
            Ok(head) => head.resolve().map_err(git)?.target(),
            Err(error) if matches!(error.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound) => None,
            Err(error) => return Err(git(error)),
        };
        let graph = match head {
            Some(head) => Graph::read(&self.repository, head)?,
            None => Graph::default(),
        };
        let touched = self.watch.touched(&self.repository, &graph)?;
        let tags = tags::read(&self.repository, &graph)?;
        let path = self.repository.path().to_path_buf();
        Ok(RepositoryHistory { path, shallow: self.repository.is_shallow(), graph, touched, tags, parent: self.parent })
    }
}

/// The repository that `root` lies in, and `root` relative to its working directory.
fn open_root(root: &Path) -> Result<Option<(Repository, PathBuf)>, HistoryError> {
    let failed = |source| HistoryError::Repository { path: root.to_path_buf(), source };
    let repository = match Repository::discover(root) {
        Ok(repository) => repository,
        Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let Some(directory) = repository.workdir().map(Path::to_path_buf) else { return Ok(None) };
    let real = |path: &Path| fs_err::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let prefix = real(root).strip_prefix(real(&directory)).map(Path::to_path_buf).unwrap_or_default();
    Ok(Some((repository, prefix)))
}

/// The submodules that members live in and those around these, outer ones first.
fn submodules(workspace: &Workspace) -> BTreeSet<PathBuf> {
    let mut submodules = BTreeSet::new();
    for submodule in workspace.members.iter().filter_map(|member| member.submodule.as_ref()) {
        submodules.insert(submodule.clone());
        let outer = submodule.ancestors().skip(1).filter(|outer| !outer.as_os_str().is_empty());
        submodules
            .extend(outer.filter(|outer| workspace.root.join(outer).join(".git").exists()).map(Path::to_path_buf));
    }
    submodules
}
