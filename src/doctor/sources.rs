//! The repository of sources, git, and what build steps are kept away with.

use git2::{ErrorCode, Repository, RepositoryOpenFlags};

use super::{Finding, Ground, install, on_path};
use crate::ecosystem::Context;
use crate::sandbox::{self, Mode};
use crate::workspace::history::HistoryError;

pub(super) fn examine(ground: &Ground<'_>) -> Vec<Finding> {
    let mut findings = vec![git()];
    findings.extend(ground.project.map(history));
    findings.push(isolation());
    findings
}

/// packhouse itself reads git's files; the program is for people who follow a hint.
fn git() -> Finding {
    match on_path("git") {
        Some(path) => Finding::ok("git", path.display().to_string()),
        None => Finding::warning(
            "git",
            "the program git is not on PATH; packhouse does not need it, its hints do",
            install("git", "git"),
        ),
    }
}

fn history(context: Context<'_>) -> Finding {
    let root = context.workspace.root.as_path();
    let none: [&std::path::Path; 0] = [];
    match Repository::open_ext(root, RepositoryOpenFlags::empty(), none) {
        Ok(repository) if repository.is_shallow() => {
            let (path, name) = (repository.path().to_path_buf(), "the services".to_owned());
            Finding::of("history", &HistoryError::Shallow { path, name })
        }
        Ok(repository) => Finding::ok("history", format!("{} is complete", repository.path().display())),
        Err(error) if error.code() == ErrorCode::NotFound => Finding::warning(
            "history",
            "the project is in no git repository: packages have no changelog, and every file the time of its last change",
            "git init && git add . && git commit",
        ),
        Err(source) => Finding::of("history", &HistoryError::Repository { path: root.to_path_buf(), source }),
    }
}

fn isolation() -> Finding {
    let topic = "sandbox";
    let mode = match Mode::from_environment() {
        Ok(mode) => mode,
        Err(error) => return Finding::of(topic, &error),
    };
    if mode == Mode::None {
        let message = "PACKHOUSE_SANDBOX=none: build steps see the network and the whole machine";
        return Finding::warning(topic, message, "unset PACKHOUSE_SANDBOX");
    }
    let probe = sandbox::probe();
    if probe.isolation.has_fixed_places() {
        return Finding::ok(topic, probe.isolation.to_string());
    }
    let refused = sandbox::Error::Unavailable { refusals: probe.refusals.clone() };
    if mode == Mode::Require && !probe.isolation.cuts_network() {
        return Finding::of(topic, &refused);
    }
    let left = match probe.isolation.cuts_network() {
        true => "they see the machine's own paths",
        false => "they see the network and the whole machine",
    };
    let message = format!("build steps run with less isolation, {left} ({})", probe.refusals.join("; "));
    Finding::warning(topic, message, permit())
}

/// The switch that forbids namespaces here, if it is one of the known ones.
fn permit() -> String {
    let is = |name: &str, value: &str| {
        let text = fs_err::read_to_string(format!("/proc/sys/{}", name.replace('.', "/"))).unwrap_or_default();
        text.trim() == value
    };
    let switches = [
        ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
        ("kernel.unprivileged_userns_clone", "0", "1"),
        ("user.max_user_namespaces", "0", "15000"),
    ];
    match switches.into_iter().find(|(name, forbids, _)| is(name, forbids)) {
        Some((name, _, permits)) => format!("sudo sysctl {name}={permits}"),
        None => "run the container with a seccomp profile that allows unshare(2), as `--security-opt seccomp=unconfined` does"
            .to_owned(),
    }
}
