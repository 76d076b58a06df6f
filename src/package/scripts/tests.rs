//! Every script is judged by the shell, by shellcheck where it is installed, and by what it does when it is called in each
//! way that dpkg and rpm call it, with stubs in place of systemd's programs.

mod machine;
mod policies;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::{Command, Stdio};

use super::super::systemd::{Scope, Sysusers};
use super::*;
use crate::config::{RestartPolicy, Stage};
use crate::target::{Architecture, distribution};
use machine::{Machine, STUB};

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn path(text: &str) -> InstallPath {
    InstallPath::parse(text).expect("a path")
}

fn target(name: &str) -> Target {
    Target { distribution: distribution(name).expect("a distribution"), architecture: Architecture::X86_64 }
}

/// A service with a socket, a timer and its job, a template, user units, users and directories.
fn everything(restart: RestartPolicy, enable: bool, start: bool) -> Units {
    Units {
        system: Scope {
            enableable: strings(&["acme-api.service", "acme-api.socket", "acme-report.timer"]),
            startable: strings(&["acme-api.socket", "acme-report.timer", "acme-api.service", "acme-report.service"]),
            jobs: strings(&["acme-report.service"]),
            templates: strings(&["acme-job@.service"]),
        },
        user: Scope {
            enableable: strings(&["acme-tray.service"]),
            startable: strings(&["acme-tray.service"]),
            ..Scope::default()
        },
        sysusers: Some(Sysusers::new("acme-api.conf", &["u acme-api - \"it's $(x)\" /var/lib/acme-api"])),
        tmpfiles: strings(&["acme-api.conf"]),
        data: vec![path("/var/lib/acme-api"), path("/var/lib/private/acme-api")],
        restart,
        enable,
        start,
        policies: BTreeMap::new(),
        shipped: BTreeSet::new(),
    }
}

fn all_actions(units: Units) -> Actions {
    Actions {
        units,
        compile: Some((path("/usr/lib/acme/it's/lib"), PythonVersion::three(11))),
        removed_conffiles: vec![(path("/etc/acme/old file.toml"), "1.2.0-1".to_owned())],
        ownership: vec![
            Ownership {
                path: path("/usr/lib/acme/acme-api/bin/$(id)"),
                owner: None,
                capabilities: Some("cap_net_bind_service=ep".to_owned()),
            },
            Ownership {
                path: path("/var/lib/acme [x]"),
                owner: Some(("acme-api".to_owned(), "adm".to_owned(), 0o2750)),
                capabilities: None,
            },
        ],
        ghosts: vec![path("/var/lib/acme-api"), path("/var/lib/acme-api/state.db")],
    }
}

/// The scripts of a package that brings none itself.
fn scripts(package: &str, target: &Target, actions: &Actions) -> Result<Scripts, Error> {
    super::scripts(package, target, actions, &OwnScripts::default()).map(|composed| composed.scripts)
}

/// By Debian's names.
fn texts(scripts: &Scripts) -> Vec<(&'static str, &str)> {
    let name = |stage: Stage| stage.name(Format::Deb).unwrap_or("posttrans");
    scripts.iter().map(|(stage, script)| (name(stage), script.text.as_str())).collect()
}

fn assert_accepts(program: &str, arguments: &[&str], script: &str) {
    let child = Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    // shellcheck is not on every machine; the shell is.
    let mut child = match child {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && program == "shellcheck" => return,
        child => child.expect("a shell"),
    };
    child.stdin.take().expect("its input").write_all(script.as_bytes()).expect("the script");
    let output = child.wait_with_output().expect("its end");
    assert!(output.status.success(), "{}\n{script}", String::from_utf8_lossy(&output.stdout));
}

const TARGETS: [&str; 7] = ["debian-11", "debian-12", "el8", "el9", "fedora-42", "opensuse-15.6", "opensuse-16.0"];
const POLICIES: [RestartPolicy; 3] = [RestartPolicy::AfterUpgrade, RestartPolicy::StopStart, RestartPolicy::Never];

#[test]
fn every_combination_of_policies_is_a_script_that_the_shell_and_shellcheck_accept() {
    let mut seen = std::collections::BTreeSet::new();
    for name in TARGETS {
        let target = target(name);
        for restart in POLICIES {
            for (enable, start) in [(true, true), (true, false), (false, true), (false, false)] {
                let single = Units {
                    system: Scope {
                        enableable: strings(&["acme-api.service"]),
                        startable: strings(&["acme-api.service"]),
                        ..Scope::default()
                    },
                    restart,
                    enable,
                    start,
                    ..Units::default()
                };
                let template = Units {
                    system: Scope { templates: strings(&["acme-job@.service"]), ..Scope::default() },
                    restart,
                    enable,
                    start,
                    ..Units::default()
                };
                for actions in [
                    all_actions(everything(restart, enable, start)),
                    Actions { units: everything(restart, enable, start), ..Actions::default() },
                    Actions { units: single, ..Actions::default() },
                    Actions { units: template, ..Actions::default() },
                    all_actions(Units { restart, enable, start, ..Units::default() }),
                ] {
                    let made = scripts("acme-api", &target, &actions).expect("scripts");
                    for (_, script) in texts(&made) {
                        let debian = target.format() == Format::Deb;
                        assert_eq!(script.starts_with("#!/bin/sh\n"), debian, "{script}");
                        assert!(debian || script.ends_with("\nexit 0"), "{script}");
                        seen.insert(script.to_owned());
                    }
                }
            }
        }
    }
    assert!(seen.len() > 50, "{} scripts", seen.len());
    for script in &seen {
        assert_accepts("/bin/sh", &["-n"], script);
    }
    let directory = tempfile::tempdir().expect("a directory");
    let mut files = Vec::new();
    for (number, script) in seen.iter().enumerate() {
        let file = directory.path().join(format!("{number}.sh"));
        fs_err::write(&file, script).expect("write");
        files.push(file);
    }
    // SC2016 is of a path with `$(…)` in single quotes, which is what must not expand.
    match Command::new("shellcheck").args(["--shell=sh", "--severity=style", "--exclude=SC2016"]).args(&files).output()
    {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        output => {
            let output = output.expect("shellcheck");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        }
    }
}

#[test]
fn a_package_without_units_and_byte_code_has_no_scripts() {
    for name in TARGETS {
        assert_eq!(scripts("acme-cli", &target(name), &Actions::default()).expect("scripts"), Scripts::default());
    }
}

#[test]
fn a_full_set_of_scripts_is_what_a_maintainer_would_have_written() {
    for (name, restart) in [
        ("debian-12", RestartPolicy::AfterUpgrade),
        ("debian-12", RestartPolicy::StopStart),
        ("el8", RestartPolicy::AfterUpgrade),
        ("el9", RestartPolicy::StopStart),
        ("opensuse-16.0", RestartPolicy::AfterUpgrade),
    ] {
        let actions = match name {
            "debian-12" => all_actions(everything(restart, true, true)),
            _ => Actions { units: everything(restart, true, false), ..Actions::default() },
        };
        let made = scripts("acme-api", &target(name), &actions).expect("scripts");
        let whole: Vec<String> = texts(&made)
            .into_iter()
            .map(|(script, text)| format!("---- {script} ----\n{}\n", text.trim_end()))
            .collect();
        let policy = match restart {
            RestartPolicy::StopStart => "stop-start",
            RestartPolicy::AfterUpgrade => "after-upgrade",
            RestartPolicy::Never => "never",
        };
        insta::assert_snapshot!(format!("{name}-{policy}"), whole.join("\n"));
    }
}

/// Policy 6.5 to 6.8, deb-preinst(5) and its siblings: every call that dpkg makes.
const CALLS: [(&str, &[&[&str]]); 4] = [
    ("preinst", &[&["install"], &["install", "1-1", "2-1"], &["upgrade", "1-1", "2-1"], &["abort-upgrade", "2-1"]]),
    (
        "postinst",
        &[
            &["configure", ""],
            &["configure", "1-1"],
            &["abort-upgrade", "2-1"],
            &["abort-remove"],
            &["abort-remove", "in-favour", "other", "1"],
            &["abort-deconfigure", "in-favour", "other", "1", "removing", "conflicting", "1"],
            &["triggered", "/usr/bin"],
        ],
    ),
    (
        "prerm",
        &[
            &["remove"],
            &["remove", "in-favour", "other", "1"],
            &["upgrade", "2-1"],
            &["deconfigure", "in-favour", "other", "1", "removing", "conflicting", "1"],
            &["failed-upgrade", "1-1", "2-1"],
        ],
    ),
    (
        "postrm",
        &[
            &["remove"],
            &["purge"],
            &["upgrade", "2-1"],
            &["disappear", "other", "1"],
            &["failed-upgrade", "1-1", "2-1"],
            &["abort-install"],
            &["abort-install", "1-1", "2-1"],
            &["abort-upgrade", "1-1", "2-1"],
        ],
    ),
];

#[test]
fn every_call_that_dpkg_makes_ends_well_on_a_booted_machine_and_in_a_chroot() {
    let target = target("debian-12");
    for booted in [true, false] {
        for restart in POLICIES {
            for (enable, start) in [(true, true), (false, false)].into_iter().filter(|(start, _)| booted || *start) {
                let actions = all_actions(everything(restart, enable, start));
                let made = scripts("acme-api", &target, &actions).expect("scripts");
                let machine = Machine::new(booted);
                machine.units(&[("acme-api.service", "enabled", "active"), ("acme-api.socket", "enabled", "active")]);
                for (name, text) in texts(&made) {
                    let calls = CALLS.iter().find(|(script, _)| *script == name).expect("its calls").1;
                    for arguments in calls {
                        let called = machine.run(text, arguments);
                        let helper = called.iter().filter(|call| call.starts_with("dpkg-maintscript-helper")).count();
                        assert_eq!(helper, 1, "{name} {arguments:?} {called:?}");
                        assert!(booted || !called.iter().any(|call| call.contains("-invoke")), "{called:?}");
                    }
                }
            }
        }
    }
}

/// What an upgrade calls, of those things that start, stop and restart.
fn upgrade(restart: RestartPolicy, start: bool, state: (&str, &str)) -> (Vec<String>, Vec<String>) {
    let units = Units {
        system: Scope {
            enableable: strings(&["acme-api.service"]),
            startable: strings(&["acme-api.service"]),
            ..Scope::default()
        },
        restart,
        enable: true,
        start,
        ..Units::default()
    };
    let made = scripts("acme-api", &target("debian-12"), &Actions { units, ..Actions::default() }).expect("scripts");
    let machine = Machine::new(true);
    machine.units(&[("acme-api.service", state.0, state.1)]);
    let act = |calls: Vec<String>| -> Vec<String> {
        let acts = |call: &String| call.contains("invoke") || call.starts_with("systemctl start");
        calls.into_iter().filter(acts).collect()
    };
    let before = made.text(Stage::PreInstall).map(|script| act(machine.run(script, &["upgrade", "1-1", "2-1"])));
    let after = act(machine.run(made.text(Stage::PostInstall).expect("a postinst"), &["configure", "1-1"]));
    assert!(!machine.has_memory(), "the memory outlives the upgrade");
    (before.unwrap_or_default(), after)
}

#[test]
fn what_the_administrator_stopped_or_masked_stays_so_through_an_upgrade() {
    for restart in POLICIES {
        for state in [("enabled", "inactive"), ("disabled", "inactive"), ("masked", "inactive"), ("masked", "active")] {
            assert_eq!(upgrade(restart, true, state), (vec![], vec![]), "{restart:?} {state:?}");
        }
    }
}

#[test]
fn what_ran_is_restarted_or_stopped_and_started_as_the_policy_says() {
    let only = |call: &str| vec![call.to_owned()];
    for enabled in ["enabled", "disabled"] {
        let state = (enabled, "active");
        assert_eq!(
            upgrade(RestartPolicy::AfterUpgrade, true, state),
            (vec![], only("deb-systemd-invoke restart acme-api.service"))
        );
        assert_eq!(
            upgrade(RestartPolicy::AfterUpgrade, false, state),
            (vec![], only("deb-systemd-invoke try-restart acme-api.service"))
        );
        for start in [true, false] {
            assert_eq!(
                upgrade(RestartPolicy::StopStart, start, state),
                (only("deb-systemd-invoke stop acme-api.service"), only("systemctl start acme-api.service"))
            );
        }
        assert_eq!(upgrade(RestartPolicy::Never, false, state), (vec![], vec![]));
        // To start what runs is to do nothing.
        assert_eq!(
            upgrade(RestartPolicy::Never, true, state),
            (vec![], only("deb-systemd-invoke start acme-api.service"))
        );
    }
    // What had failed gets another try with the new version.
    assert_eq!(
        upgrade(RestartPolicy::AfterUpgrade, true, ("enabled", "failed")).1,
        only("deb-systemd-invoke start acme-api.service")
    );
}

#[test]
fn an_upgrade_that_does_not_happen_starts_again_what_was_stopped_for_it() {
    let actions = Actions { units: everything(RestartPolicy::StopStart, true, true), ..Actions::default() };
    let made = scripts("acme-api", &target("debian-12"), &actions).expect("scripts");
    let (preinst, postinst) =
        (made.text(Stage::PreInstall).expect("it").to_owned(), made.text(Stage::PostInstall).expect("it").to_owned());
    let machine = Machine::new(true);
    machine.units(&[
        ("acme-api.service", "disabled", "active"),
        ("acme-api.socket", "enabled", "inactive"),
        ("acme-report.timer", "enabled", "active"),
    ]);
    machine.run(&preinst, &["upgrade", "1-1", "2-1"]);
    assert!(machine.has_memory());
    // Unpacking fails, the machine tries again: all is stopped now, and that is not what the administrator wants.
    machine.units(&[
        ("acme-api.service", "disabled", "inactive"),
        ("acme-api.socket", "enabled", "inactive"),
        ("acme-report.timer", "enabled", "inactive"),
    ]);
    machine.run(&preinst, &["upgrade", "1-1", "2-1"]);
    let calls = machine.run(&postinst, &["abort-upgrade", "2-1"]);
    let started: Vec<&String> = calls.iter().filter(|call| call.contains(" start ")).collect();
    assert_eq!(started, ["systemctl start acme-report.timer", "systemctl start acme-api.service"]);
    assert!(!machine.has_memory());

    // Where nothing was stopped, an abort starts nothing.
    let calls = machine.run(&postinst, &["abort-deconfigure", "in-favour", "other", "1"]);
    assert!(!calls.iter().any(|call| call.contains(" start ") || call.contains("restart")), "{calls:?}");
}

#[test]
fn a_first_installation_and_one_after_a_removal_start_what_is_enabled() {
    let actions = Actions { units: everything(RestartPolicy::Never, true, true), ..Actions::default() };
    let made = scripts("acme-api", &target("debian-12"), &actions).expect("scripts");
    let machine = Machine::new(true);
    machine.units(&[("acme-api.service", "enabled", "active"), ("acme-api.socket", "enabled", "active")]);
    let removal = machine.run(made.text(Stage::PreRemove).expect("it"), &["remove"]);
    assert!(removal.iter().any(|call| call.starts_with("deb-systemd-invoke stop acme-api.socket")), "{removal:?}");
    machine.run(made.text(Stage::PostRemove).expect("it"), &["remove"]);
    assert!(!machine.has_memory());
    for last in ["", "1-1"] {
        let calls = machine.run(made.text(Stage::PostInstall).expect("it"), &["configure", last]);
        let started: Vec<&String> = calls.iter().filter(|call| call.starts_with("deb-systemd-invoke start")).collect();
        assert_eq!(
            started,
            ["acme-api.socket", "acme-report.timer", "acme-api.service"]
                .map(|unit| format!("deb-systemd-invoke start {unit}"))
                .iter()
                .collect::<Vec<_>>()
        );
    }
}

#[test]
fn purge_takes_ghosts_and_nothing_beside_them() {
    let units = Units { data: Vec::new(), ..everything(RestartPolicy::Never, true, true) };
    let made = scripts("acme-api", &target("debian-12"), &all_actions(units)).expect("scripts");
    let machine = Machine::new(true);
    let state = machine.path("var/lib/acme-api");
    let stamps = machine.path("var/lib/systemd/timers");
    for other in [true, false] {
        fs_err::create_dir_all(&state).expect("mkdir");
        fs_err::create_dir_all(&stamps).expect("mkdir");
        fs_err::write(state.join("state.db"), "").expect("write");
        fs_err::write(stamps.join("stamp-acme-report.timer"), "").expect("write");
        if other {
            fs_err::write(state.join("of-somebody"), "").expect("write");
        }
        machine.run(made.text(Stage::PostRemove).expect("it"), &["purge"]);
        assert!(!state.join("state.db").exists() && !stamps.join("stamp-acme-report.timer").exists());
        assert_eq!(state.exists(), other);
        if other {
            fs_err::remove_file(state.join("of-somebody")).expect("what is somebody's is still there");
        }
    }
}

/// rpm-scriptlets(7): the number of instances after the operation.
#[test]
fn every_call_that_rpm_makes_ends_well_with_and_without_the_update_helper() {
    use std::os::unix::fs::PermissionsExt as _;
    for name in ["el8", "fedora-42", "opensuse-15.6"] {
        for (restart, helper) in POLICIES.into_iter().flat_map(|policy| [(policy, true), (policy, false)]) {
            let units = everything(restart, true, true);
            let made = scripts("acme-api", &target(name), &Actions { units, ..Actions::default() }).expect("scripts");
            let machine = Machine::new(true);
            if helper {
                let file = machine.path("helper");
                fs_err::write(&file, STUB).expect("write");
                fs_err::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("chmod");
            }
            machine.units(&[("acme-api.service", "enabled", "active"), ("acme-api.socket", "enabled", "active")]);
            let mut all = Vec::new();
            for (script, text) in texts(&made) {
                let counts: &[&str] = match script {
                    "preinst" | "postinst" => &["1", "2"],
                    "posttrans" => &["1", "2"],
                    _ => &["0", "1"],
                };
                for count in counts {
                    all.extend(machine.run(text, &[count]));
                }
            }
            let said = |what: &str| all.iter().any(|call| call.contains(what));
            assert_eq!(helper, said("helper remove-system-units acme-api.socket"), "{name} {all:?}");
            assert_eq!(name.starts_with("opensuse") && helper, said("helper mark-install-system-units"), "{name}");
            assert!(said("systemd-tmpfiles --create acme-api.conf"), "{all:?}");
            let inline = name != "fedora-42";
            assert_eq!(
                inline,
                said("systemd-sysusers --replace=/usr/lib/sysusers.d/acme-api.conf -"),
                "{name} {all:?}"
            );
            let restarted = said("mark-restart-system-units acme-report.timer acme-api.service")
                || said("systemctl try-restart acme-report.timer acme-api.service");
            assert_eq!(restart == RestartPolicy::AfterUpgrade, restarted, "{name} {all:?}");
            let stopped = said("systemctl stop acme-api.service");
            assert_eq!(restart == RestartPolicy::StopStart, stopped, "{name} {all:?}");
            assert!(!machine.has_memory(), "{name}");
        }
    }
}

#[test]
fn rpm_starts_sockets_before_their_services() {
    let starts = |calls: Vec<String>| -> Vec<String> {
        calls.iter().filter_map(|call| call.strip_prefix("systemctl start ").map(str::to_owned)).collect()
    };
    for name in ["el8", "el9", "opensuse-16.0"] {
        let units = everything(RestartPolicy::StopStart, true, true);
        let made = scripts("acme-api", &target(name), &Actions { units, ..Actions::default() }).expect("scripts");
        let run =
            |machine: &Machine, script: Option<&str>, count: &str| machine.run(script.expect("a script"), &[count]);
        let machine = Machine::new(true);
        machine.units(&[("acme-api.service", "enabled", "active"), ("acme-api.socket", "enabled", "active")]);
        run(&machine, made.text(Stage::PreInstall), "2");
        assert_eq!(
            starts(run(&machine, made.text(Stage::PostTransaction), "2")),
            ["acme-api.socket", "acme-api.service"],
            "{name}: what ran, and nothing else"
        );
        let machine = Machine::new(true);
        let started = starts(run(&machine, made.text(Stage::PostInstall), "1"));
        assert_eq!(started, ["acme-api.socket acme-report.timer acme-api.service"], "{name}");
    }
}

#[test]
fn memberships_are_made_by_the_scriptlet_where_rpm_makes_users_only() {
    let inline = |name: &str, lines: &[&str]| {
        let units = Units { sysusers: Some(Sysusers::new("acme.conf", lines)), ..Units::default() };
        let made = scripts("acme", &target(name), &Actions { units, ..Actions::default() }).expect("scripts");
        made.text(Stage::PreInstall).is_some_and(|script| script.contains("systemd-sysusers --replace"))
    };
    let (user, member) = ("u acme -", "m acme adm");
    assert!(inline("el9", &[user]) && inline("el9", &[user, member]));
    assert!(!inline("el10", &[user]) && inline("el10", &[user, member]));
    assert!(!inline("fedora-42", &[user, member]));
}
