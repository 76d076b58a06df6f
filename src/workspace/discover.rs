//! From a directory to a [`Workspace`]: walk, detect, choose, override, check, connect.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use globset::GlobSet;

use super::walk::{Found, Walk};
use super::{Detector, Directory, Error, Member, Workspace, check, graph, overrides};
use crate::config::{Settings, locate, repository_root};

/// Finds the services and libraries of the repository, as the settings change them.
///
/// Nothing of the repository is run and nothing is written. Members are sorted by path.
///
/// # Errors
/// For a manifest that cannot be read, a submodule that is not checked out, a table of a service that does not exist,
/// names and commands that collide, and dependencies that go in a circle or to something that is left out.
pub fn discover(settings: &Settings, detectors: &[&dyn Detector]) -> Result<Workspace, Error> {
    let project = &settings.project;
    let selection = Selection { vendor: &project.vendor, members: project.members.as_ref(), exclude: &project.exclude };
    let (mut members, left_out) = detect(&settings.root, selection, detectors)?;
    overrides::apply(settings, &mut members, &left_out)?;
    let workspace = connect(&settings.root, members, &left_out)?;
    overrides::check(settings, &workspace)?;
    Ok(workspace)
}

/// Finds the services and libraries below `root` when there is no configuration yet.
///
/// # Errors
/// As [`discover`].
pub fn discover_unconfigured(root: &Path, detectors: &[&dyn Detector]) -> Result<Workspace, Error> {
    let root = fs_err::canonicalize(root)?;
    let selection = Selection { vendor: Path::new("vendor"), members: None, exclude: &GlobSet::empty() };
    let (members, left_out) = detect(&root, selection, detectors)?;
    connect(&root, members, &left_out)
}

/// Which directories are taken.
#[derive(Clone, Copy)]
struct Selection<'a> {
    vendor: &'a Path,
    members: Option<&'a GlobSet>,
    exclude: &'a GlobSet,
}

/// What the detectors find in the directories that are walked: the members, and what is left out by the selection.
fn detect(
    root: &Path,
    selection: Selection<'_>,
    detectors: &[&dyn Detector],
) -> Result<(Vec<Member>, Vec<Member>), Error> {
    let repository = repository_root(root).map_err(|error| match error {
        crate::config::Error::Io(error) => Error::Io(error),
        other => Error::Io(std::io::Error::other(other)),
    })?;
    let directories = Walk { root, vendor: selection.vendor, exclude: selection.exclude }.run(&repository)?;
    let mut all: Vec<Member> = Vec::new();
    // A workspace's root, which is walked before what is below it, speaks for its members: they are not asked again.
    let mut told: BTreeSet<(usize, PathBuf)> = BTreeSet::new();
    // A directory that is one package with all below it, and whose it is.
    let mut closed: Option<(&Path, usize)> = None;
    for found in &directories {
        let Found { path, entries, submodule, excluded } = found;
        let directory = Directory { root, path, entries, submodule: submodule.as_deref() };
        if closed.is_some_and(|(above, _)| path.starts_with(above)) {
            continue;
        }
        if let Some(owner) = detectors.iter().position(|detector| detector.closes(directory)) {
            closed = Some((path, owner));
        }
        for (index, detector) in detectors.iter().enumerate() {
            let is_another_s = closed.is_some_and(|(own, owner)| own == path && owner != index);
            if is_another_s || told.contains(&(index, path.clone())) {
                continue;
            }
            match detector.detect(directory) {
                Ok(members) => {
                    told.extend(members.iter().map(|member| (index, member.path.clone())));
                    all.extend(members);
                }
                // What is excluded may be broken: it only has to be known when something requires it.
                Err(_) if *excluded => {}
                Err(error) => return Err(Error::Detector(error)),
            }
        }
    }
    // It may speak for directories that the walk has passed over, too: ignored ones, fixtures, vendored code.
    let place = |path: &Path| directories.binary_search_by(|found| found.path.as_path().cmp(path)).ok();
    let mut members: Vec<Member> = Vec::new();
    let mut left_out = Vec::new();
    let mut matched = vec![false; selection.members.map_or(0, GlobSet::len)];
    for mut member in all {
        let Some(found) = place(&member.path).and_then(|index| directories.get(index)) else { continue };
        member.submodule.clone_from(&found.submodule);
        let chosen = selection.members.is_none_or(|globs| {
            let matches = globs.matches(&member.path);
            for index in &matches {
                if let Some(matched) = matched.get_mut(*index) {
                    *matched = true;
                }
            }
            !matches.is_empty()
        });
        if chosen && !found.excluded { members.push(member) } else { left_out.push(member) }
    }
    if let Some(index) = matched.iter().position(|matched| !matched) {
        let location = locate(root, &["project", "members"]).map(Box::new);
        return Err(Error::UnmatchedPattern { number: index + 1, location });
    }
    members.sort_by(|one, other| (&one.path, one.ecosystem).cmp(&(&other.path, other.ecosystem)));
    members.dedup_by(|one, other| {
        one.path == other.path && one.ecosystem == other.ecosystem && one.ecosystem_name == other.ecosystem_name
    });
    Ok((members, left_out))
}

/// Checks the members against each other and fills in who depends on whom.
fn connect(root: &Path, members: Vec<Member>, left_out: &[Member]) -> Result<Workspace, Error> {
    check::names(&members)?;
    check::commands(&members)?;
    let mut workspace = Workspace { root: PathBuf::from(root), members };
    graph::resolve(&mut workspace, left_out)?;
    graph::refuse_cycles(&workspace)?;
    Ok(workspace)
}
