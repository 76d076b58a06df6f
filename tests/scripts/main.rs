//! Scripts that projects bring, in both formats: dpkg and rpm install, upgrade and remove packages in a root of their own,
//! and what the scripts wrote down is compared.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "these are tests"
)]

mod fields;
mod machine;
mod project;

use machine::{Machine, text, utf8};
use project::{Project, Script};

/// What a script writes down: its name, its first argument, and whether there is a second.
fn noting(name: &str) -> String {
    format!("echo \"{name} $1${{2:+ and more}}\" >> /log\n")
}

/// Debian's four scripts.
fn debian_scripts(head: &str, tail: &str) -> Vec<Script> {
    [("pre-install", "preinst"), ("post-install", "postinst"), ("pre-remove", "prerm"), ("post-remove", "postrm")]
        .map(|(stage, name)| Script::deb(stage, format!("{head}{}{tail}", noting(name))))
        .into()
}

/// RPM's five, as people write them.
fn rpm_scripts() -> Vec<Script> {
    [
        ("pre-install", "pre"),
        ("post-install", "post"),
        ("pre-remove", "preun"),
        ("post-remove", "postun"),
        ("post-transaction", "posttrans"),
    ]
    .map(|(stage, name)| Script::rpm(stage, noting(name)))
    .into()
}

/// Install, upgrade, remove: what the scripts wrote down each time.
fn life(format: &str, scripts: &[Script]) -> [Vec<String>; 3] {
    let machine = Machine::new();
    let versions = ["1.0", "2.0"].map(|version| Project::new(scripts).build(format, version));
    let done = |(log, output): (Vec<String>, std::process::Output)| {
        assert!(output.status.success(), "{}", text(&output));
        log
    };
    match format {
        "debian-12" => [
            done(machine.dpkg(&["-i", utf8(&versions[0].path)])),
            done(machine.dpkg(&["-i", utf8(&versions[1].path)])),
            done(machine.dpkg(&["-r", "acme-tool"])),
        ],
        _ => [
            done(machine.rpm(&["-U", utf8(&versions[0].path)])),
            done(machine.rpm(&["-U", utf8(&versions[1].path)])),
            done(machine.rpm(&["-e", "acme-tool"])),
        ],
    }
}

const DEBIAN_LIFE: [&[&str]; 3] = [
    &["preinst install", "postinst configure"],
    &["prerm upgrade and more", "preinst upgrade and more", "postrm upgrade and more", "postinst configure and more"],
    &["prerm remove", "postrm remove"],
];

const RPM_LIFE: [&[&str]; 3] = [
    &["pre 1", "post 1", "posttrans 1"],
    &["pre 2", "post 2", "preun 1", "postun 1", "posttrans 2"],
    &["preun 0", "postun 0"],
];

#[test]
fn scripts_for_dpkg_run_in_an_rpm_as_dpkg_runs_them_in_a_deb() {
    for head in ["#!/bin/sh\nset -e\n", "#!/bin/sh -eu\n", "#!/bin/bash\nset -euo pipefail\nlist=(a b)\n"] {
        for tail in ["", "#DEBHELPER#\nexit 0\n", "exit 0\n"] {
            let scripts = debian_scripts(head, tail);
            assert_eq!(life("debian-12", &scripts), DEBIAN_LIFE, "{head}{tail}");
            assert_eq!(life("el9", &scripts), DEBIAN_LIFE, "{head}{tail}");
        }
    }
}

#[test]
fn what_stands_before_the_mark_does_not_become_the_end_of_a_script() {
    let scripts = debian_scripts("#!/bin/sh\nset -e\n", "[ \"$1\" = purge ] && true\n#DEBHELPER#\n");
    assert_eq!(life("el9", &scripts), DEBIAN_LIFE);
}

#[test]
fn scriptlets_for_rpm_run_in_a_deb_as_rpm_runs_them() {
    let scripts = rpm_scripts();
    assert_eq!(life("el9", &scripts), RPM_LIFE);
    assert_eq!(life("debian-12", &scripts), RPM_LIFE);
}

#[test]
fn an_installation_after_a_removal_is_none_of_a_further_version() {
    let scripts = rpm_scripts();
    let machine = Machine::new();
    let package = Project::new(&scripts).build("debian-12", "1.0");
    for _ in 0..2 {
        assert_eq!(machine.dpkg(&["-i", utf8(&package.path)]).0, RPM_LIFE[0]);
        assert_eq!(machine.dpkg(&["-r", "acme-tool"]).0, RPM_LIFE[2]);
    }
    assert_eq!(machine.dpkg(&["--purge", "acme-tool"]).0, [""; 0], "rpm knows no purge");
    assert!(
        !machine.path("run/packhouse").exists()
            || machine.path("run/packhouse").read_dir().expect("it").next().is_none()
    );
}

#[test]
fn scripts_in_other_languages_run_in_either_format() {
    let perl = |name: &str| {
        format!(
            "#!/usr/bin/perl -w\nopen(my $log, '>>', '/log'); print $log \"{name} $ARGV[0]\" . ((($ARGV[1] // '') eq '') ? '' : ' and more') . \"\\n\";\n"
        )
    };
    let scripts: Vec<Script> =
        [("pre-install", "preinst"), ("post-install", "postinst"), ("pre-remove", "prerm"), ("post-remove", "postrm")]
            .map(|(stage, name)| Script::deb(stage, perl(name)))
            .into();
    assert_eq!(life("debian-12", &scripts), DEBIAN_LIFE);
    assert_eq!(life("el9", &scripts), DEBIAN_LIFE);
    let scripts: Vec<Script> = [
        ("pre-install", "pre"),
        ("post-install", "post"),
        ("pre-remove", "preun"),
        ("post-remove", "postun"),
        ("post-transaction", "posttrans"),
    ]
    .map(|(stage, name)| Script::rpm(stage, perl(name)).by(&["/usr/bin/perl", "-w"]))
    .into();
    assert_eq!(life("el9", &scripts), RPM_LIFE);
    assert_eq!(life("debian-12", &scripts), RPM_LIFE);
}

/// A service with a unit, and scripts that end before packhouse's part.
fn with_unit(scripts: &[Script]) -> Project {
    Project::new(scripts).with_unit()
}

#[test]
fn what_packhouse_has_to_do_is_done_after_a_script_that_exits() {
    for (script, said) in [
        (Script::deb("post-install", "#!/bin/sh\necho own >> /log\nexit 0\n"), "own"),
        (Script::deb("post-install", "#!/bin/sh\necho own >> /log\n#DEBHELPER#\nexit 0\n"), "own"),
        (
            Script::deb(
                "post-install",
                "#!/usr/bin/perl\nopen(my $log, '>>', '/log'); print $log \"own\\n\"; exit 0;\n",
            ),
            "own",
        ),
        (Script::rpm("post-install", "echo own >> /log\nexit 0"), "own"),
        (Script::rpm("post-install", "echo own >> /log; [ \"$1\" = %{_none} ] || exit 0").flags(1), "own"),
        (Script::rpm("post-install", "echo own %{name} >> /log; exit 0").flags(2), "own acme-tool"),
        (
            Script::rpm("post-install", "local f = io.open('/log', 'a'); f:write('own\\n'); f:close()\nreturn")
                .by(&["<lua>"]),
            "own",
        ),
        (
            Script::rpm("post-install", "open(my $log, '>>', '/log'); print $log \"own\\n\"; exit 0;")
                .by(&["/usr/bin/perl"]),
            "own",
        ),
    ] {
        for format in ["debian-12", "el9"] {
            let package = with_unit(std::slice::from_ref(&script)).build(format, "1.0");
            let machine = Machine::new();
            let (log, output) = match format {
                "debian-12" => machine.dpkg(&["-i", utf8(&package.path)]),
                _ => machine.rpm(&["-U", utf8(&package.path)]),
            };
            assert!(output.status.success(), "{format}: {}", text(&output));
            let position = |what: &str| log.iter().position(|line| line.contains(what));
            let (generated, only_rpm) = match format {
                "debian-12" => ("deb-systemd-helper enable acme-tool.service", script.is_only_for_rpm()),
                _ => ("systemctl --no-reload preset acme-tool.service", false),
            };
            let own = position(said);
            assert_eq!(own.is_none(), only_rpm, "{format} {script:?}: {log:?}");
            let after =
                position(generated).unwrap_or_else(|| panic!("{format} {script:?}: {log:?}\n{}", text(&output)));
            assert!(own.is_none_or(|own| own < after), "{format} {script:?}: {log:?}");
            // Nothing is done twice.
            assert_eq!(log.iter().filter(|line| line.contains(generated)).count(), 1, "{format} {script:?}: {log:?}");
            assert_eq!(
                package.notes.iter().any(|note| note.contains("not in the .deb")),
                only_rpm,
                "{:?}",
                package.notes
            );
        }
    }
}

#[test]
fn a_failure_means_in_an_rpm_what_rpm_makes_of_it_and_in_a_deb_what_dpkg_does() {
    let installs = |format: &str, script: Script| {
        let package = with_unit(&[script]).build(format, "1.0");
        let machine = Machine::new();
        let (log, output) = match format {
            "debian-12" => machine.dpkg(&["-i", utf8(&package.path)]),
            _ => machine.rpm(&["-U", utf8(&package.path)]),
        };
        let installed = match format {
            "debian-12" => output.status.success(),
            _ => machine.has("acme-tool"),
        };
        (installed, log.iter().any(|line| line.contains("daemon-reload") || line.contains("preset")), text(&output))
    };
    let failing = ["set -e\nfalse\necho went on >> /log\n", "exit 3\n"];
    for commands in failing {
        for format in ["debian-12", "el9"] {
            // Of %pre and preinst both formats make a refusal.
            for script in
                [Script::deb("pre-install", format!("#!/bin/sh\n{commands}")), Script::rpm("pre-install", commands)]
            {
                let (installed, goes_on, said) = installs(format, script);
                assert!(!installed && !goes_on, "{format}: {said}");
            }
            // %post only warns, wherever it runs; packhouse's part is done all the same.
            let (installed, goes_on, said) = installs(format, Script::rpm("post-install", commands));
            assert!(
                installed && goes_on && said.contains("warning: ") && !said.contains("went on"),
                "{format}: {said}"
            );
        }
        let (installed, goes_on, said) =
            installs("debian-12", Script::deb("post-install", format!("#!/bin/sh\n{commands}")));
        assert!(!installed && !goes_on, "{said}");
        let (installed, goes_on, said) = installs("el9", Script::deb("post-install", format!("#!/bin/sh\n{commands}")));
        assert!(installed && goes_on && said.contains("warning: "), "{said}");
    }
}

#[test]
fn a_script_s_percent_signs_are_its_own_unless_rpm_is_told_to_expand_them() {
    for (flags, text, expected) in [
        (0, "echo \"%{name} ${1%1}%% 100%\" >> /log", "%{name} %% 100%"),
        (1, "echo \"%{?_none:x}%{lua:print(2*3)} %%\" >> /log", "6 %"),
        (2, "echo \"%{name} 100%%\" >> /log", "acme-tool 100%"),
    ] {
        let package = Project::new(&[Script::rpm("post-install", text).flags(flags)]).build("el9", "1.0");
        let machine = Machine::new();
        let (log, output) = machine.rpm(&["-U", utf8(&package.path)]);
        assert_eq!(log, [expected], "{flags}: {}", machine::text(&output));
    }
}

#[test]
fn debconf_s_questions_stay_with_debian() {
    let script = Script::deb(
        "post-install",
        "#!/bin/sh\nset -e\n. /usr/share/debconf/confmodule\ndb_get acme-tool/x\n#DEBHELPER#\n",
    );
    let project = with_unit(&[script]).with_debconf();
    let deb = project.build("debian-12", "1.0");
    let members = text(&machine::run("dpkg-deb", &["--ctrl-tarfile", utf8(&deb.path)]));
    assert!(members.contains("./config") && members.contains("./templates"), "{members}");
    let rpm = project.build("el9", "1.0");
    assert!(rpm.notes.iter().any(|note| note.contains("it asks debconf")), "{:?}", rpm.notes);
    let (log, output) = Machine::new().rpm(&["-U", utf8(&rpm.path)]);
    assert!(output.status.success() && log.iter().any(|line| line.contains("preset")), "{log:?} {}", text(&output));
}
