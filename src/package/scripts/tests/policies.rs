//! Units that are not all treated alike.

use super::*;
use crate::config::UnitPolicy;

/// Units of three policies: restarted, stopped and started, and left alone without being enabled.
fn of_three_policies() -> Units {
    let names = strings(&["acme-api.service", "acme-old.service", "acme-once.service"]);
    let policy = |enable, start, restart, stop| UnitPolicy {
        enable,
        start,
        restart_after_upgrade: restart,
        stop_on_upgrade: stop,
    };
    Units {
        system: Scope { enableable: names.clone(), startable: names, ..Scope::default() },
        policies: BTreeMap::from([
            ("acme-old.service".to_owned(), policy(None, None, Some(false), Some(true))),
            ("acme-once.service".to_owned(), policy(Some(false), Some(false), Some(false), Some(false))),
        ]),
        restart: RestartPolicy::AfterUpgrade,
        enable: true,
        start: true,
        ..Units::default()
    }
}

#[test]
fn each_unit_is_treated_by_its_own_policy() {
    let actions = Actions { units: of_three_policies(), ..Actions::default() };
    let running = ["acme-api", "acme-old", "acme-once"].map(|name| format!("{name}.service"));
    let running: Vec<(&str, &str, &str)> = running.iter().map(|unit| (unit.as_str(), "enabled", "active")).collect();

    let made = scripts("acme-api", &target("debian-12"), &actions).expect("scripts");
    let machine = Machine::new(true);
    let installs = machine.run(made.text(Stage::PostInstall).expect("it"), &["configure", ""]);
    let has = |calls: &[String], call: &str| calls.iter().any(|one| one == call);
    for unit in ["acme-api", "acme-old"] {
        assert!(has(&installs, &format!("deb-systemd-helper enable {unit}.service")), "{installs:?}");
        assert!(has(&installs, &format!("deb-systemd-invoke start {unit}.service")), "{installs:?}");
    }
    assert!(has(&installs, "deb-systemd-helper debian-installed acme-once.service"), "{installs:?}");
    assert!(!installs.iter().any(|call| call.contains("start acme-once")), "{installs:?}");

    machine.units(&running);
    let acts = |calls: Vec<String>| -> Vec<String> {
        let acts =
            |call: &String| ["invoke", "systemctl start", "systemctl stop"].iter().any(|word| call.contains(word));
        calls.into_iter().filter(acts).collect()
    };
    let before = acts(machine.run(made.text(Stage::PreInstall).expect("it"), &["upgrade", "1-1", "2-1"]));
    let after = acts(machine.run(made.text(Stage::PostInstall).expect("it"), &["configure", "1-1"]));
    assert_eq!(before, ["deb-systemd-invoke stop acme-old.service"]);
    assert_eq!(after, ["deb-systemd-invoke restart acme-api.service", "systemctl start acme-old.service"]);

    for name in ["el8", "el9", "opensuse-16.0"] {
        let made = scripts("acme-api", &target(name), &actions).expect("scripts");
        let machine = Machine::new(true);
        let run = |stage: Stage, count: &str| machine.run(made.text(stage).unwrap_or("exit 0"), &[count]);
        let installs = run(Stage::PostInstall, "1");
        assert!(has(&installs, "systemctl start acme-api.service acme-old.service"), "{installs:?}");
        machine.units(&running);
        assert_eq!(acts(run(Stage::PreInstall, "2")), ["systemctl stop acme-old.service"], "{name}");
        let restarts = run(Stage::PostRemove, "1");
        assert!(has(&restarts, "systemctl try-restart acme-api.service"), "{name} {restarts:?}");
        assert_eq!(acts(run(Stage::PostTransaction, "2")), ["systemctl start acme-old.service"], "{name}");
    }
}

#[test]
fn a_unit_shipped_as_a_plain_file_is_restarted_and_stopped_but_neither_enabled_nor_started() {
    let mut tree = crate::tree::Tree::new();
    let mut add = |at: &str, text: &str| {
        let content = crate::tree::Content::bytes(text.as_bytes());
        tree.file(path(at), content, 0o644).expect("free");
    };
    let unit = "[Service]\nExecStart=/usr/bin/acme\n[Install]\nWantedBy=multi-user.target\n";
    add("/usr/lib/systemd/system/acme.service", unit);
    add("/etc/systemd/system/acme-job@.service", unit);
    add("/usr/lib/systemd/system/managed.service", unit);
    add("/usr/lib/systemd/system/broken.service", "no unit\n");
    add("/usr/lib/systemd/system/acme.service.d/more.conf", "[Service]\nNice=1\n");
    add("/usr/share/doc/acme/example.service", unit);
    let mut units = Units::default();
    units.ship(&tree, |unit| unit == "managed.service").expect("units");
    assert_eq!(units.system.startable, ["acme.service"]);
    assert_eq!(units.system.templates, ["acme-job@.service"]);
    let actions = Actions { units, ..Actions::default() };

    let made = scripts("acme-api", &target("debian-12"), &actions).expect("scripts");
    let machine = Machine::new(true);
    let installs = machine.run(made.text(Stage::PostInstall).expect("it"), &["configure", ""]);
    assert!(!installs.iter().any(|call| call.contains("invoke") || call.contains("restart")), "{installs:?}");
    assert!(installs.iter().any(|call| call == "systemctl --system daemon-reload"), "{installs:?}");
    let upgrades = machine.run(made.text(Stage::PostInstall).expect("it"), &["configure", "1-1"]);
    assert!(upgrades.iter().any(|call| call == "deb-systemd-invoke try-restart acme.service"), "{upgrades:?}");
    let removes = machine.run(made.text(Stage::PreRemove).expect("it"), &["remove"]);
    assert!(
        removes.iter().any(|call| call == "deb-systemd-invoke stop acme.service acme-job@*.service"),
        "{removes:?}"
    );

    for name in ["el8", "fedora-42"] {
        let made = scripts("acme-api", &target(name), &actions).expect("scripts");
        assert_eq!((made.text(Stage::PreInstall), made.text(Stage::PostInstall)), (None, None), "{name}");
        let machine = Machine::new(true);
        let removes = machine.run(made.text(Stage::PreRemove).expect("it"), &["0"]);
        assert!(removes.iter().any(|call| call == "systemctl --no-reload disable --now acme.service"), "{removes:?}");
        let upgrades = machine.run(made.text(Stage::PostRemove).expect("it"), &["1"]);
        assert!(upgrades.iter().any(|call| call == "systemctl try-restart acme.service"), "{upgrades:?}");
    }
}

#[test]
fn state_survives_removal_and_goes_with_the_purge() {
    let actions = Actions { units: everything(RestartPolicy::Never, true, true), ..Actions::default() };
    let postrm = scripts("acme-api", &target("debian-12"), &actions)
        .expect("scripts")
        .text(Stage::PostRemove)
        .expect("it")
        .to_owned();
    let machine = Machine::new(true);
    let state = machine.path("var/lib/acme-api");
    fs_err::create_dir_all(state.join("queue")).expect("mkdir");
    fs_err::create_dir_all(machine.path("var/lib/acme-other")).expect("mkdir");
    for call in ["remove", "upgrade", "abort-install"] {
        machine.run(&postrm, &[call]);
        assert!(state.exists(), "{call}");
    }
    machine.run(&postrm, &["purge"]);
    assert!(!state.exists() && machine.path("var/lib/acme-other").exists());
}
