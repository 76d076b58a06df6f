//! Who depends on whom: requirements become edges, circles become errors.

use std::collections::BTreeSet;
use std::path::Path;

use super::{Error, Member, MemberId, Requirement, Workspace};
use crate::config::read_text;
use crate::diagnostic::Location;

/// Fills in each member's `dependencies`: a requirement that names a member of the same ecosystem, by directory or by
/// name, is that member. What names nothing of this repository is left to the ecosystem.
pub(super) fn resolve(workspace: &mut Workspace, left_out: &[Member]) -> Result<(), Error> {
    let mut all = Vec::new();
    for member in &workspace.members {
        let mut dependencies = Vec::new();
        let mut open: Vec<&Requirement> = member.requires.iter().rev().collect();
        let mut followed = BTreeSet::new();
        while let Some(requirement) = open.pop() {
            let Some(index) = find(&workspace.members, member, requirement) else {
                refuse_missing(&workspace.root, member, requirement, left_out)?;
                continue;
            };
            dependencies.push(MemberId(index));
            // Whoever requires `library[extra]` needs what that extra needs; others that use the library do not.
            for extra in requirement.extras.iter().filter(|extra| followed.insert((index, extra.as_str()))) {
                open.extend(
                    workspace.members.get(index).and_then(|other| other.optional.get(extra)).into_iter().flatten(),
                );
            }
        }
        dependencies.sort();
        dependencies.dedup();
        // A package may name itself, to gather its own extras.
        dependencies.retain(|id| workspace.members.get(id.0).is_some_and(|other| !std::ptr::eq(other, member)));
        all.push(dependencies);
    }
    for (member, dependencies) in workspace.members.iter_mut().zip(all) {
        member.dependencies = dependencies;
    }
    Ok(())
}

fn find(members: &[Member], member: &Member, requirement: &Requirement) -> Option<usize> {
    members.iter().position(|other| other.ecosystem == member.ecosystem && names(requirement, other))
}

fn names(requirement: &Requirement, member: &Member) -> bool {
    match &requirement.path {
        Some(path) => *path == member.path,
        None => requirement.name == member.ecosystem_name,
    }
}

/// A requirement that no member fulfils must not be one of what is left out, nor a directory that is not there.
fn refuse_missing(root: &Path, member: &Member, requirement: &Requirement, left_out: &[Member]) -> Result<(), Error> {
    let location = || place(root, requirement);
    if let Some(other) = left_out.iter().find(|other| other.ecosystem == member.ecosystem && names(requirement, other))
    {
        return Err(Error::LeftOut {
            member: member.name.to_string(),
            name: other.ecosystem_name.clone(),
            path: other.path.clone(),
            location: location(),
        });
    }
    match &requirement.path {
        Some(path) if !root.join(path).exists() => {
            Err(Error::NoDirectory { member: member.name.to_string(), path: path.clone(), location: location() })
        }
        _ => Ok(()),
    }
}

/// Where a requirement stands; `None` when its file cannot be read again.
fn place(root: &Path, requirement: &Requirement) -> Option<Box<Location>> {
    let text = read_text(&root.join(&requirement.file)).ok()?;
    Some(Box::new(Location::line(&requirement.file, text.as_ref(), requirement.line)))
}

/// How far the search has come with a member.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Open,
    Done,
}

/// No member may need itself through others.
pub(super) fn refuse_cycles(workspace: &Workspace) -> Result<(), Error> {
    let mut states = vec![State::New; workspace.members.len()];
    for start in 0..workspace.members.len() {
        // Depth first without recursion: each entry is a member and how many of its dependencies have been followed.
        let mut path: Vec<(usize, usize)> = vec![(start, 0)];
        while let Some((index, followed)) = path.last_mut() {
            let (Some(member), Some(state)) = (workspace.members.get(*index), states.get_mut(*index)) else { break };
            if *followed == 0 && *state == State::Done {
                path.pop();
                continue;
            }
            *state = State::Open;
            let Some(next) = member.dependencies.get(*followed).map(|id| id.0) else {
                *state = State::Done;
                path.pop();
                continue;
            };
            *followed += 1;
            match states.get(next) {
                Some(State::New) => path.push((next, 0)),
                Some(State::Open) => {
                    let from = path.iter().position(|(index, _)| *index == next).unwrap_or_default();
                    let circle: Vec<usize> = path.iter().skip(from).map(|(index, _)| *index).collect();
                    return Err(cycle(workspace, &circle));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn cycle(workspace: &Workspace, circle: &[usize]) -> Error {
    let members: Vec<&Member> = circle.iter().filter_map(|index| workspace.members.get(*index)).collect();
    let mut chain = String::new();
    let mut location = None;
    for (index, member) in members.iter().enumerate() {
        let Some(next) = members.get(index + 1).or_else(|| members.first()) else { continue };
        let edge = member.requires.iter().find(|requirement| names(requirement, next));
        let place_text = edge.map(|edge| format!(" ({}:{})", edge.file.display(), edge.line)).unwrap_or_default();
        if index == 0 {
            chain.push_str(&format!("`{}` needs `{}`{place_text}", member.ecosystem_name, next.ecosystem_name));
            location = edge.and_then(|edge| place(&workspace.root, edge));
        } else {
            chain.push_str(&format!(", which needs `{}`{place_text}", next.ecosystem_name));
        }
    }
    Error::Cycle { chain, location }
}
