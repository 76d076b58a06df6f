//! Maintainer scripts (Debian Policy 6) and scriptlets (rpm-scriptlets(7)).
//!
//! Debian's are what debhelper compat 13 would generate (its autoscripts postinst-systemd-enable, -restart, prerm-… in
//! their order: users, temporary files, byte-code, conffiles, then units), with one difference: a unit that the
//! administrator has stopped or masked stays so through an upgrade, for every policy. For that the preinst remembers below
//! `/run` what ran and what did not. RPM's are the expansions of systemd's macros (of SUSE's own where they differ),
//! with a way for EL 8, whose systemd has no update helper; a scriptlet always ends with exit 0, because RPM does not
//! roll back.

use minijinja::{Value, context};

use super::systemd::{Scope, Sysusers, Units};
use super::{Error, Scripts, template};
use crate::config::RestartPolicy;
use crate::target::{Format, PythonVersion, Target};
use crate::tree::InstallPath;

/// All that the scripts have to do.
#[derive(Debug, Default)]
pub(super) struct Actions {
    /// For the units.
    pub(super) units: Units,
    /// The directory whose byte-code is made on installation, and by which interpreter.
    pub(super) compile: Option<(InstallPath, PythonVersion)>,
    /// Conffiles that an earlier version had and this one has not, each with the first version that was without it
    /// (`dpkg-maintscript-helper rm_conffile PATH VERSION~`).
    pub(super) removed_conffiles: Vec<(InstallPath, String)>,
    /// Files with an owner, a mode or capabilities that dpkg cannot unpack, because the user is made by the postinst or
    /// because tar has no place for them; `dpkg-statoverride` of the administrator goes first.
    pub(super) ownership: Vec<Ownership>,
    /// Files and directories made at run time that a purge takes away.
    pub(super) ghosts: Vec<InstallPath>,
}

/// What the postinst sets on a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ownership {
    /// The file or directory.
    pub(super) path: InstallPath,
    /// User, group and permission bits, when they are not what was unpacked.
    pub(super) owner: Option<(String, String, u32)>,
    /// As setcap(8) reads them.
    pub(super) capabilities: Option<String>,
}

/// The scripts of a package.
pub(super) fn scripts(package: &str, target: &Target, actions: &Actions) -> Result<Scripts, Error> {
    match target.format() {
        Format::Deb => debian(package, actions),
        Format::Rpm => rpm(package, target, actions),
    }
}

fn debian(package: &str, actions: &Actions) -> Result<Scripts, Error> {
    let Actions { units, compile, removed_conffiles, ghosts, .. } = actions;
    let values = debian_values(package, actions)?;
    let when = |condition: bool, source: &str| condition.then(|| template::render(source, values.clone())).transpose();
    let (system, user) = (&units.system, &units.user);
    let has_units = !system.startable.is_empty() || !system.templates.is_empty();
    let has_user_units = !user.startable.is_empty() || !user.enableable.is_empty();
    let conffiles = !removed_conffiles.is_empty();
    Ok(Scripts {
        pre_install: when(remembers(units) || conffiles, include_str!("../../templates/deb/preinst.sh"))?,
        post_install: when(
            has_units || configures(actions) || conffiles,
            include_str!("../../templates/deb/postinst.sh"),
        )?,
        pre_remove: when(
            has_units || has_user_units || conffiles || compile.is_some(),
            include_str!("../../templates/deb/prerm.sh"),
        )?,
        post_remove: when(
            has_units || !user.enableable.is_empty() || conffiles || !ghosts.is_empty() || !units.data.is_empty(),
            include_str!("../../templates/deb/postrm.sh"),
        )?,
        post_transaction: None,
    })
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

/// Whether what ran and what was stopped must be known after an upgrade. A policy that only restarts what runs can ask
/// systemd instead.
fn remembers(units: &Units) -> bool {
    let managed = !units.system.managed().is_empty();
    let instances = !units.system.templates.is_empty();
    (managed && units.start) || ((managed || instances) && units.restart == RestartPolicy::StopStart)
}

/// Names that both formats' templates have.
fn marks(package: &str) -> String {
    format!("/run/packhouse/{package}")
}

fn policy(units: &Units) -> &'static str {
    match units.restart {
        RestartPolicy::StopStart => "stop-start",
        RestartPolicy::AfterUpgrade => "after-upgrade",
        RestartPolicy::Never => "never",
    }
}

/// What is enabled, and what is left disabled.
fn split(scope: &Scope, enable: bool) -> (Vec<String>, Vec<String>) {
    let all = scope.enableable.clone();
    if enable { (all, Vec::new()) } else { (Vec::new(), all) }
}

/// What a first installation starts, in the order of starting: what can be enabled; all but jobs, when nothing can be.
fn started(scope: &Scope) -> Vec<String> {
    let enabled: Vec<String> = scope.startable.iter().filter(|unit| scope.enableable.contains(unit)).cloned().collect();
    if enabled.is_empty() { scope.managed() } else { enabled }
}

/// What left a time stamp of its last run (`Persistent=` of systemd.timer(5)).
fn timers(scope: &Scope) -> Vec<String> {
    scope.startable.iter().filter(|unit| unit.ends_with(".timer")).cloned().collect()
}

/// The step that the preinst and the prerm share.
const REMEMBER: &str = include_str!("../../templates/deb/remember.sh");

fn debian_values(package: &str, actions: &Actions) -> Result<Value, Error> {
    let Actions { units, compile, removed_conffiles, ownership, ghosts } = actions;
    let (enable, leave_disabled) = split(&units.system, units.enable);
    let (user_enable, user_leave_disabled) = split(&units.user, units.enable);
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
    let remember = template::render(
        REMEMBER,
        context! {
            marks => marks(package),
            restart => policy(units),
            managed => units.system.managed(),
            instances => units.system.instances(),
        },
    )?;
    Ok(context! {
        package,
        marks => marks(package),
        restart => policy(units),
        start => units.start,
        remembers => remembers(units),
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
        managed => units.system.managed(),
        upgraded => units.system.upgraded(),
        restarted => units.system.restarted(),
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

fn rpm(package: &str, target: &Target, actions: &Actions) -> Result<Scripts, Error> {
    let Actions { units, compile, .. } = actions;
    let system = &units.system;
    // rpm 4.19 makes users by itself, from the package's `user(…)` Provides; memberships since 4.20.
    let without = |version| target.distribution.rpm.is_some_and(|rpm| rpm < version);
    let sysusers = units.sysusers.as_ref();
    let sysusers = sysusers.filter(|sysusers| without((4, 19)) || (without((4, 20)) && sysusers.has_members()));
    let suse = target.distribution.suse;
    let values = context! {
        package,
        marks => marks(package),
        suse,
        restart => policy(units),
        start => units.start,
        sysusers_name => sysusers.and_then(|sysusers| sysusers.names().into_iter().next()),
        sysusers_text => sysusers.map(Sysusers::text),
        tmpfiles => units.tmpfiles.clone(),
        // Presets decide about enabling; the scriptlet always asks them.
        enable => system.enableable.clone(),
        startable => system.startable.clone(),
        started => started(system),
        upgraded => system.upgraded(),
        restarted => system.restarted(),
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
    let asks_presets = !system.enableable.is_empty();
    let stop_start = has_units && units.restart == RestartPolicy::StopStart;
    let when = |condition: bool, source: &str| condition.then(|| template::render(source, values.clone())).transpose();
    Ok(Scripts {
        pre_install: when(
            stop_start || sysusers.is_some() || asks_presets || (suse && !units.user.enableable.is_empty()),
            include_str!("../../templates/rpm/pre.sh"),
        )?,
        post_install: when(
            asks_presets
                || !units.user.enableable.is_empty()
                || !units.tmpfiles.is_empty()
                || (units.start && !system.startable.is_empty()),
            include_str!("../../templates/rpm/post.sh"),
        )?,
        pre_remove: when(
            has_units || has_user_units || compile.is_some(),
            include_str!("../../templates/rpm/preun.sh"),
        )?,
        post_remove: when(
            (has_units && units.restart == RestartPolicy::AfterUpgrade)
                || !timers(system).is_empty()
                || compile.is_some(),
            include_str!("../../templates/rpm/postun.sh"),
        )?,
        post_transaction: when(
            stop_start || asks_presets || compile.is_some(),
            include_str!("../../templates/rpm/posttrans.sh"),
        )?,
    })
}

#[cfg(test)]
mod tests;
