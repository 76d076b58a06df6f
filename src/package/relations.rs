//! The relations of a package: what its content and its scripts call for, and what the configuration adds.

use super::scripts::{self, Actions};
use super::{Component, Relations, Scripts, bundled};
use crate::config::{Addition, RelationKind, ServiceSettings, Stage};
use crate::target::{Format, PythonVersion, Target};
use crate::workspace::Workspace;

/// Programs that scriptlets run, and what brings each on every distribution with RPM. What two distributions have in
/// packages of different names is required by its path.
const PROGRAMS: &[(&str, &str)] = &[
    ("/usr/lib/systemd/systemd-update-helper", "systemd"),
    ("cat", "coreutils"),
    ("chmod", "coreutils"),
    ("chown", "coreutils"),
    ("find", "findutils"),
    ("getent", "/usr/bin/getent"),
    ("groupadd", "/usr/sbin/groupadd"),
    ("mkdir", "coreutils"),
    ("mktemp", "coreutils"),
    ("rm", "coreutils"),
    ("rmdir", "coreutils"),
    ("systemctl", "systemd"),
    ("systemd-sysusers", "systemd"),
    ("systemd-tmpfiles", "systemd"),
    ("unlink", "coreutils"),
    ("useradd", "/usr/sbin/useradd"),
];

/// What a package's relations follow from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts<'a> {
    pub(super) target: &'a Target,
    pub(super) workspace: &'a Workspace,
    pub(super) service: &'a ServiceSettings,
    pub(super) actions: &'a Actions,
    pub(super) scripts: &'a Scripts,
    /// Whether debconf asks questions.
    pub(super) asks: bool,
    /// The interpreter that its tree needs.
    pub(super) python: Option<PythonVersion>,
    /// What its ELF files need, in the target's syntax.
    pub(super) libraries: &'a [String],
    pub(super) components: &'a [Component],
    /// Source packages of the target's distribution that were linked in: `rustc (= 1.63.0+dfsg1-2)`.
    pub(super) linked: &'a [String],
}

/// The relations of a package; each list sorted, nothing twice.
pub(super) fn relations(facts: Facts<'_>) -> Relations {
    let Facts { target, service, actions, .. } = facts;
    let configured = |kind| service.relations.get(kind, target);
    let units = &actions.units;
    let mut relations = Relations {
        depends: configured(RelationKind::Depends),
        pre_depends: configured(RelationKind::PreDepends),
        recommends: configured(RelationKind::Recommends),
        suggests: configured(RelationKind::Suggests),
        enhances: configured(RelationKind::Enhances),
        supplements: configured(RelationKind::Supplements),
        conflicts: configured(RelationKind::Conflicts),
        breaks: configured(RelationKind::Breaks),
        replaces: configured(RelationKind::Replaces),
        provides: configured(RelationKind::Provides),
        built_using: configured(RelationKind::BuiltUsing),
        static_built_using: configured(RelationKind::StaticBuiltUsing),
        scriptlets: Vec::new(),
    };
    let depends = &mut relations.depends;
    depends.extend(facts.libraries.iter().cloned());
    match (target.format(), facts.python) {
        (Format::Deb, Some(version)) => depends.push(format!("python{version}")),
        (Format::Rpm, Some(version)) => {
            depends.extend([format!("python(abi) = {version}"), format!("/usr/bin/python{version}")]);
        }
        (_, None) => {}
    }
    let follows = service.adds(Addition::Relations);
    match target.format() {
        Format::Deb if !follows => {}
        Format::Deb => {
            if units.sysusers.is_some() {
                depends.push("systemd | systemd-standalone-sysusers | systemd-sysusers".to_owned());
            }
            of_maintainer_scripts(facts.scripts, facts.asks, depends);
            relations.static_built_using.extend(facts.linked.iter().cloned());
        }
        Format::Rpm if !follows => relations.conflicts.append(&mut relations.breaks),
        Format::Rpm => {
            if units.any() {
                depends.push("systemd".to_owned());
            }
            // RPM's Conflicts say both: rpm has no half-way state in which the other package is merely not configured.
            relations.conflicts.append(&mut relations.breaks);
            relations.scriptlets = scriptlets(facts.scripts);
            relations.provides.extend(bundled::provides(facts.components, facts.workspace, target));
        }
    }
    if target.format() == Format::Deb && actions.ownership.iter().any(|entry| entry.capabilities.is_some()) {
        // The postinst calls setcap(8).
        depends.push("libcap2-bin".to_owned());
    }
    if target.distribution.rpm.is_some_and(|rpm| rpm >= (4, 19))
        && let Some(sysusers) = &units.sysusers
    {
        relations.provides.extend(sysusers.provides());
        relations.depends.extend(sysusers.requires());
    }
    for list in [
        &mut relations.depends,
        &mut relations.pre_depends,
        &mut relations.recommends,
        &mut relations.suggests,
        &mut relations.enhances,
        &mut relations.supplements,
        &mut relations.conflicts,
        &mut relations.breaks,
        &mut relations.replaces,
        &mut relations.provides,
        &mut relations.built_using,
        &mut relations.static_built_using,
    ] {
        list.sort();
        list.dedup();
    }
    relations
}

/// Programs that maintainer scripts of a project run, and what brings each; Debian's essential packages bring the others.
const DEBIAN_PROGRAMS: &[(&str, &str)] = &[
    ("addgroup", "adduser"),
    ("adduser", "adduser"),
    ("deluser", "adduser"),
    ("setcap", "libcap2-bin"),
    ("ucf", "ucf"),
];

/// What the scripts of a .deb need once they run: postinst and prerm may rely on `Depends` (Policy 7.2), and debconf's questions on
/// debconf (Policy 3.9.1).
pub(super) fn of_maintainer_scripts(scripts: &Scripts, asks: bool, depends: &mut Vec<String>) {
    let texts = || [Stage::PostInstall, Stage::PreRemove].into_iter().filter_map(|stage| scripts.text(stage));
    let words: Vec<&str> = texts().flat_map(words).collect();
    let words = || words.iter().map(|word| word.rsplit('/').next().unwrap_or(word));
    let needed =
        DEBIAN_PROGRAMS.iter().filter(|(program, _)| words().any(|word| word == *program)).map(|(_, package)| *package);
    let is_python = texts().flat_map(scripts::programs).any(|program| program == "/usr/bin/python3");
    let needed = needed.chain(is_python.then_some("python3"));
    let needed = needed.chain(asks.then_some("debconf (>= 0.5) | debconf-2.0"));
    for package in needed {
        let name = package.split(' ').next().unwrap_or(package);
        if !depends.iter().any(|present| present.split(' ').any(|word| word.trim_end_matches(',') == name)) {
            depends.push(package.to_owned());
        }
    }
}

/// What each scriptlet runs must be there when it runs: before this package when it is installed, and until it is gone.
fn scriptlets(scripts: &Scripts) -> Vec<(Stage, String)> {
    let mut needed = Vec::new();
    for (scriptlet, script) in scripts.iter() {
        let words = words(&script.text);
        let packages = PROGRAMS.iter().filter(|(program, _)| words.contains(program));
        needed.extend(packages.map(|(_, package)| (scriptlet, (*package).to_owned())));
        needed.extend(scripts::programs(&script.text).map(|program| (scriptlet, program.to_owned())));
    }
    needed.sort();
    needed.dedup();
    needed
}

/// The words of a script that may be programs: not those of comments and here-documents.
pub(super) fn words(script: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut end: Option<&str> = None;
    for line in script.lines() {
        if let Some(mark) = end {
            end = (line != mark).then_some(mark);
            continue;
        }
        let line = line.trim_start();
        if line.starts_with('#') {
            continue;
        }
        if let Some((_, rest)) = line.split_once("<<'") {
            end = rest.split('\'').next();
        }
        words.extend(line.split(|end: char| end.is_whitespace() || matches!(end, ';' | '(' | ')' | '&' | '|' | '"')));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scriptlet_needs_the_programs_that_it_runs() {
        let scripts: Scripts = [
            (Stage::PreInstall, "systemd-sysusers - <<'END' || :\nu find - \"rm\"\nEND\nexit 0\n"),
            (Stage::PostInstall, "# rm -rf /\nif [ -x /usr/bin/systemctl ]; then\n  systemctl start x\nfi\n"),
            (Stage::PreRemove, "exit 0\n"),
            (Stage::PostRemove, "find x|while read -r f; do rmdir \"$f\"; done\n"),
        ]
        .into_iter()
        .collect();
        let needed = scriptlets(&scripts);
        let expected = [
            (Stage::PreInstall, "systemd"),
            (Stage::PostInstall, "systemd"),
            (Stage::PostRemove, "coreutils"),
            (Stage::PostRemove, "findutils"),
        ];
        assert_eq!(needed, expected.map(|(scriptlet, package)| (scriptlet, package.to_owned())));
    }
}
