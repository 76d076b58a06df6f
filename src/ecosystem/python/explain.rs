//! What somebody who sees a Python service for the first time wants to know of it: its interpreters, its lock, what could
//! not be read.

use super::existing::Existing;
use super::interpreter::interpreter;
use super::project::Project;
use super::pylock::LOCK_FILE;
use crate::diagnostic::Diagnose as _;
use crate::ecosystem::Context;
use crate::report::Silent;
use crate::survey::Fact;
use crate::target::PythonVersion;
use crate::workspace::Member;

/// See [`crate::ecosystem::Ecosystem::explain`].
pub(super) fn explain(context: Context<'_>, service: &Member) -> Vec<Fact> {
    let directory = context.workspace.directory(service);
    let Ok(Some(project)) = super::project::read(&directory) else { return Vec::new() };
    let mut facts = interpreters(Context { reporter: &Silent, ..context }, service, &project);
    facts.push(lock(context, service));
    facts.extend(service.unread.iter().map(|unread| Fact::new("not read", unread.clone())));
    facts
}

/// One line for all targets that have the same.
fn interpreters(context: Context<'_>, service: &Member, project: &Project) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut found: Vec<(PythonVersion, Vec<String>)> = Vec::new();
    for target in &context.settings.project.targets {
        let name = target.distribution.name.clone();
        match interpreter(context, service, project, target) {
            Ok(python) => match found.iter_mut().find(|(known, _)| *known == python) {
                Some((_, targets)) => targets.push(name),
                None => found.push((python, vec![name])),
            },
            Err(error) => {
                let hints = error.hints().join("; ");
                facts.push(Fact::missing("interpreter", format!("{error}: {hints}")));
            }
        }
    }
    let each: Vec<String> =
        found.iter().map(|(python, targets)| format!("CPython {python} on {}", targets.join(", "))).collect();
    if !each.is_empty() {
        let why = match (&project.python_version_file, &project.requires_python) {
            (Some(version), _) => format!(" (.python-version says {})", version.trim()),
            (None, Some(requires)) => format!(" (requires-python is {requires})"),
            (None, None) => " (the distribution's own: no requires-python says otherwise)".to_owned(),
        };
        facts.insert(0, Fact::new("interpreter", each.join("; ") + &why));
    }
    facts
}

fn lock(context: Context<'_>, service: &Member) -> Fact {
    let directory = context.workspace.directory(service);
    if directory.join(LOCK_FILE).is_file() {
        return Fact::new("lock", LOCK_FILE);
    }
    match Existing::find(&context.workspace.root, &directory, &service.ecosystem_name) {
        Ok(Some(existing)) => {
            let path = existing.path.strip_prefix(&context.workspace.root).unwrap_or(&existing.path);
            Fact::new("lock", format!("{}, which is respected and not resolved anew", path.display()))
        }
        Ok(None) => Fact::new(
            "lock",
            format!("none yet: `packhouse vendor` resolves what the manifests ask for into {LOCK_FILE}"),
        ),
        Err(error) => Fact::missing("lock", error.to_string()),
    }
}
