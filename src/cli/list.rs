//! `packhouse list`.

use std::path::Path;

use clap::Args;

use super::session::Session;
use super::{Failure, Output};
use crate::ecosystem;
use crate::workspace::{Kind, Member, Workspace};

/// Show the services and libraries of the repository, and who depends on whom.
#[derive(Debug, Args)]
pub(super) struct List {}

pub(super) fn run(session: &Session, _arguments: &List) -> Result<(), Failure> {
    let project = session.project()?;
    for member in &project.workspace.members {
        let versions = match member.kind {
            Kind::Service => ecosystem::of(member.ecosystem).versions_from(session.context(&project), member)?,
            Kind::Library => None,
        };
        let versions = versions.map(|path| path.strip_prefix(&project.workspace.root).map_or(path.clone(), Into::into));
        match session.output() {
            Output::Json => session.print_json("member", &document(&project.workspace, member, versions.as_deref()))?,
            Output::Human => session.print(&text(&project.workspace, member, versions.as_deref()))?,
        }
    }
    Ok(())
}

fn dependencies<'a>(workspace: &'a Workspace, member: &Member) -> Vec<&'a str> {
    member.dependencies.iter().filter_map(|id| workspace.member(*id)).map(|member| member.name.as_str()).collect()
}

fn document(workspace: &Workspace, member: &Member, versions: Option<&Path>) -> serde_json::Value {
    serde_json::json!({
        "name": member.name, "kind": member.kind, "ecosystem": member.ecosystem, "version": member.version,
        "path": member.path, "manifest": member.manifest, "summary": member.summary, "why": member.reason,
        "commands": member.commands, "dependencies": dependencies(workspace, member), "unread": member.unread,
        "submodule": member.submodule, "versions_from": versions,
    })
}

fn text(workspace: &Workspace, member: &Member, versions: Option<&Path>) -> String {
    let kind = match member.kind {
        Kind::Service => "service",
        Kind::Library => "library",
    };
    let path = if member.path.as_os_str().is_empty() { ".".to_owned() } else { member.path.display().to_string() };
    let version = member.version.as_deref().unwrap_or("version from git");
    let ecosystem = format!("{:?}", member.ecosystem).to_lowercase();
    let mut lines = vec![format!("{} {version}  {ecosystem} {kind} in {path}: {}", member.name, member.reason)];
    if !member.commands.is_empty() {
        lines.push(format!("    commands: {}", member.commands.join(", ")));
    }
    let needs = dependencies(workspace, member);
    if !needs.is_empty() {
        lines.push(format!("    needs: {}", needs.join(", ")));
    }
    if let Some(versions) = versions {
        lines.push(format!("    takes the versions of its dependencies from {}", versions.display()));
    }
    lines.extend(member.unread.iter().map(|unread| format!("    not read: {unread}")));
    lines.join("\n")
}
