//! What packhouse itself has to do when a package is installed and removed, as the bodies of maintainer scripts (Debian Policy
//! 6) and scriptlets (rpm-scriptlets(7)).
//!
//! Debian's are what debhelper compat 13 would generate (its autoscripts postinst-systemd-enable, -restart, prerm-… in
//! their order: users, temporary files, byte-code, conffiles, then units), with one difference: a unit that the
//! administrator has stopped or masked stays so through an upgrade, for every policy. For that the preinst remembers below
//! `/run` what ran and what did not. RPM's are the expansions of systemd's macros (of SUSE's own where they differ),
//! with a way for EL 8, whose systemd has no update helper; nothing in a scriptlet may fail it, because RPM does not roll
//! back.
//!
//! Units of one policy are a [`Group`]: what is said of all of them is said once.

use minijinja::{Value, context};

use std::collections::BTreeMap;

use super::super::systemd::{Scope, Sysusers, Units};
use super::super::{Error, template};
use super::{Actions, Ownership};
use crate::config::{RestartPolicy, Stage};
use crate::target::{Format, Target};

/// What is to be done at each stage: no `#!` line, no `set -e`, no `exit`.
pub(super) type Generated = BTreeMap<Stage, String>;

/// The bodies of the scripts of a package.
pub(super) fn generated(package: &str, target: &Target, actions: &Actions) -> Result<Generated, Error> {
    match target.format() {
        Format::Deb => debian(package, actions),
        Format::Rpm => rpm(package, target, actions),
    }
}

/// Renders those templates that have something to do.
fn render(values: &Value, templates: &[(Stage, bool, &str)]) -> Result<Generated, Error> {
    let mut generated = Generated::new();
    for (stage, _, source) in templates.iter().filter(|(_, needed, _)| *needed) {
        let text = template::render(source, values.clone())?;
        if !text.trim().is_empty() {
            generated.insert(*stage, text);
        }
    }
    Ok(generated)
}

/// Units with one policy.
#[derive(Debug)]
struct Group {
    scope: Scope,
    start: bool,
    restart: RestartPolicy,
}

impl Group {
    /// Whether what ran and what was stopped must be known after an upgrade. A policy that only restarts what runs can ask
    /// systemd instead.
    fn remembers(&self) -> bool {
        let managed = !self.scope.managed().is_empty();
        let instances = !self.scope.templates.is_empty();
        (managed && self.start) || ((managed || instances) && self.restart == RestartPolicy::StopStart)
    }

    fn value(&self) -> Value {
        context! {
            start => self.start,
            restart => policy(self.restart),
            remembers => self.remembers(),
            managed => self.scope.managed(),
            restarted => self.scope.restarted(),
            upgraded => self.scope.upgraded(),
            instances => self.scope.instances(),
        }
    }
}

/// The system's units by policy, those groups first that start others.
fn groups(units: &Units) -> Vec<Group> {
    let of = |unit: &String| (units.starts(unit), units.restarts(unit));
    let mut policies: Vec<(bool, RestartPolicy)> = Vec::new();
    for unit in units.system.startable.iter().chain(&units.system.templates) {
        if !policies.contains(&of(unit)) {
            policies.push(of(unit));
        }
    }
    let group =
        |(start, restart)| Group { scope: units.system.only(|unit| of(unit) == (start, restart)), start, restart };
    policies.into_iter().map(group).collect()
}

/// The units of those groups that `which` takes, in the order of starting.
fn among(groups: &[Group], which: impl Fn(&Group) -> bool, units: impl Fn(&Scope) -> Vec<String>) -> Vec<String> {
    groups.iter().filter(|group| which(group)).flat_map(|group| units(&group.scope)).collect()
}

fn debian(package: &str, actions: &Actions) -> Result<Generated, Error> {
    let Actions { units, compile, removed_conffiles, ghosts, .. } = actions;
    let groups = groups(units);
    let values = debian_values(package, actions, &groups)?;
    let (system, user) = (&units.system, &units.user);
    let has_units = !system.startable.is_empty() || !system.templates.is_empty();
    let has_user_units = !user.startable.is_empty() || !user.enableable.is_empty();
    let conffiles = !removed_conffiles.is_empty();
    let remembers = groups.iter().any(Group::remembers);
    render(
        &values,
        &[
            (Stage::PreInstall, remembers || conffiles, include_str!("../../../templates/deb/preinst.sh")),
            (
                Stage::PostInstall,
                has_units || configures(actions) || conffiles,
                include_str!("../../../templates/deb/postinst.sh"),
            ),
            (
                Stage::PreRemove,
                has_units || has_user_units || conffiles || compile.is_some(),
                include_str!("../../../templates/deb/prerm.sh"),
            ),
            (
                Stage::PostRemove,
                has_units || !user.enableable.is_empty() || conffiles || !ghosts.is_empty() || !units.data.is_empty(),
                include_str!("../../../templates/deb/postrm.sh"),
            ),
        ],
    )
}

/// Whether the postinst has something to do before it comes to the system's units.
fn configures(actions: &Actions) -> bool {
    let units = &actions.units;
    units.sysusers.is_some()
        || !units.tmpfiles.is_empty()
        || !units.user.enableable.is_empty()
        || !actions.ownership.is_empty()
        || actions.compile.is_some()
}

/// Names that both formats' templates have.
fn marks(package: &str) -> String {
    format!("/run/packhouse/{package}")
}

fn policy(restart: RestartPolicy) -> &'static str {
    match restart {
        RestartPolicy::StopStart => "stop-start",
        RestartPolicy::AfterUpgrade => "after-upgrade",
        RestartPolicy::Never => "never",
    }
}

/// What is enabled, and what is left disabled.
fn split(units: &Units, scope: &Scope) -> (Vec<String>, Vec<String>) {
    scope.enableable.iter().cloned().partition(|unit| units.enables(unit))
}

/// What a first installation starts, in the order of starting: what can be enabled; all but jobs, when nothing can be.
fn started(units: &Units) -> Vec<String> {
    let scope = &units.system;
    let starts = |unit: &&String| units.starts(unit);
    let enabled = scope.startable.iter().filter(|unit| scope.enableable.contains(unit));
    let enabled: Vec<String> = enabled.filter(starts).cloned().collect();
    let has_enableable = scope.startable.iter().any(|unit| scope.enableable.contains(unit));
    if has_enableable { enabled } else { scope.managed().iter().filter(starts).cloned().collect() }
}

/// What left a time stamp of its last run (`Persistent=` of systemd.timer(5)).
fn timers(scope: &Scope) -> Vec<String> {
    scope.startable.iter().filter(|unit| unit.ends_with(".timer")).cloned().collect()
}

/// The step that the preinst and the prerm share.
const REMEMBER: &str = include_str!("../../../templates/deb/remember.sh");

fn debian_values(package: &str, actions: &Actions, groups: &[Group]) -> Result<Value, Error> {
    let Actions { units, compile, removed_conffiles, ownership, ghosts } = actions;
    let (enable, leave_disabled) = split(units, &units.system);
    let (user_enable, user_leave_disabled) = split(units, &units.user);
    let conffiles = removed_conffiles.iter().map(|(path, version)| {
        // A backport of that version was without it as well (dpkg-maintscript-helper(1)).
        context! { path => path.to_string(), before => format!("{version}~") }
    });
    // What is inside a directory goes before the directory: its owner could put a link there meanwhile.
    let mut owned: Vec<&Ownership> = ownership.iter().collect();
    owned.sort_by(|left, right| right.path.cmp(&left.path));
    let owned = owned.into_iter().map(|entry| {
        context! {
            path => entry.path.to_string(),
            pattern => glob_escaped(entry.path.as_str()),
            owner => entry.owner.as_ref().map(|(user, group, _)| format!("{user}:{group}")),
            mode => entry.owner.as_ref().map(|(_, _, mode)| format!("{mode:04o}")),
            capabilities => entry.capabilities.clone(),
        }
    });
    let mut ghosts: Vec<String> = ghosts.iter().map(ToString::to_string).collect();
    ghosts.sort_unstable_by(|left, right| right.cmp(left));
    let stops = |group: &Group| group.restart == RestartPolicy::StopStart;
    let remember = template::render(
        REMEMBER,
        context! {
            marks => marks(package),
            managed => among(groups, Group::remembers, Scope::managed),
            instances => among(groups, stops, Scope::instances),
        },
    )?;
    Ok(context! {
        package,
        marks => marks(package),
        groups => groups.iter().map(Group::value).collect::<Vec<_>>(),
        remembers => groups.iter().any(Group::remembers),
        stopped => among(groups, stops, Scope::upgraded),
        stopped_instances => among(groups, stops, Scope::instances),
        remember => remember.trim_end().to_owned(),
        configures => configures(actions),
        sysusers => units.sysusers.as_ref().map(Sysusers::names),
        tmpfiles => units.tmpfiles.clone(),
        ownership => owned.collect::<Vec<_>>(),
        conffiles => conffiles.collect::<Vec<_>>(),
        ghosts,
        data => units.data.iter().map(ToString::to_string).collect::<Vec<_>>(),
        enable,
        leave_disabled,
        startable => units.system.startable.clone(),
        instances => units.system.instances(),
        timers => timers(&units.system),
        user_enable,
        user_leave_disabled,
        user_startable => units.user.startable.clone(),
        compile => compile.as_ref().map(|(directory, _)| directory.to_string()),
        // Policy 6.1: without a path.
        python_name => compile.as_ref().map(|(_, version)| format!("python{version}")),
    })
}

/// dpkg-statoverride(1) takes patterns.
fn glob_escaped(path: &str) -> String {
    let mut escaped = String::new();
    for character in path.chars() {
        if matches!(character, '*' | '?' | '[' | '\\') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

fn rpm(package: &str, target: &Target, actions: &Actions) -> Result<Generated, Error> {
    let Actions { units, compile, .. } = actions;
    let system = &units.system;
    let groups = groups(units);
    let of = |policy: RestartPolicy| move |group: &Group| group.restart == policy;
    let (stops, restarts) = (of(RestartPolicy::StopStart), of(RestartPolicy::AfterUpgrade));
    // rpm 4.19 makes users by itself, from the package's `user(…)` Provides; memberships since 4.20.
    let without = |version| target.distribution.rpm.is_some_and(|rpm| rpm < version);
    let sysusers = units.sysusers.as_ref();
    let sysusers = sysusers.filter(|sysusers| without((4, 19)) || (without((4, 20)) && sysusers.has_members()));
    let suse = target.distribution.suse;
    let enable: Vec<String> = system.enableable.iter().filter(|unit| !units.shipped.contains(*unit)).cloned().collect();
    let started = started(units);
    let values = context! {
        package,
        marks => marks(package),
        suse,
        sysusers_name => sysusers.and_then(|sysusers| sysusers.names().into_iter().next()),
        sysusers_text => sysusers.map(Sysusers::text),
        tmpfiles => units.tmpfiles.clone(),
        // Presets decide about enabling; the scriptlet always asks them.
        enable => enable.clone(),
        startable => system.startable.clone(),
        started => started.clone(),
        stopped => among(&groups, stops, Scope::upgraded),
        stopped_instances => among(&groups, stops, Scope::instances),
        restarted => among(&groups, restarts, Scope::restarted),
        restarted_instances => among(&groups, restarts, Scope::instances),
        instances => system.instances(),
        templates => system.templates.clone(),
        timers => timers(system),
        user_enable => units.user.enableable.clone(),
        user_startable => units.user.startable.clone(),
        compile => compile.as_ref().map(|(directory, _)| directory.to_string()),
        python => compile.as_ref().map(|(_, version)| format!("/usr/bin/python{version}")),
    };
    let has_units = !system.startable.is_empty() || !system.templates.is_empty();
    let has_user_units = !units.user.startable.is_empty();
    let asks_presets = !enable.is_empty();
    let stop_start = groups.iter().any(stops);
    render(
        &values,
        &[
            (
                Stage::PreInstall,
                stop_start || sysusers.is_some() || asks_presets || (suse && !units.user.enableable.is_empty()),
                include_str!("../../../templates/rpm/pre.sh"),
            ),
            (
                Stage::PostInstall,
                asks_presets || !units.user.enableable.is_empty() || !units.tmpfiles.is_empty() || !started.is_empty(),
                include_str!("../../../templates/rpm/post.sh"),
            ),
            (
                Stage::PreRemove,
                has_units || has_user_units || compile.is_some(),
                include_str!("../../../templates/rpm/preun.sh"),
            ),
            (
                Stage::PostRemove,
                groups.iter().any(restarts) || !timers(system).is_empty() || compile.is_some(),
                include_str!("../../../templates/rpm/postun.sh"),
            ),
            (
                Stage::PostTransaction,
                stop_start || asks_presets || compile.is_some(),
                include_str!("../../../templates/rpm/posttrans.sh"),
            ),
        ],
    )
}
