//! Every way in which scripts of a project can be joined with packhouse's gives a text that its interpreter takes.

use std::process::Command;

use super::generated::Generated;
use super::own::{MARK, Own, OwnScripts};
use super::{debian, rpm};
use crate::config::Stage;
use crate::package::Scripts;
use crate::target::Format;

fn own(text: &str, interpreter: &[&str], flags: u32, written_for: Format) -> Own {
    let interpreter = interpreter.iter().map(|word| (*word).to_owned()).collect();
    Own { text: text.to_owned(), interpreter, flags, written_for }
}

fn all(script: &Own) -> OwnScripts {
    let stages = Stage::ALL.iter().map(|(_, stage)| (*stage, script.clone())).collect();
    OwnScripts { stages, ..OwnScripts::default() }
}

fn generated() -> Generated {
    let stages = [Stage::PreInstall, Stage::PostInstall, Stage::PreRemove, Stage::PostRemove];
    stages.map(|stage| (stage, "if [ \"$1\" = x ]; then\n\techo \"${1%x} it's\" || true\nfi\n".to_owned())).into()
}

fn composed(format: Format, own: &OwnScripts, generated: Generated) -> (Scripts, Vec<String>) {
    let mut notes = Vec::new();
    let scripts = match format {
        Format::Deb => debian::compose("acme-tool", own, generated, &mut notes).expect("scripts"),
        Format::Rpm => rpm::compose("acme-tool", own, generated, &mut notes),
    };
    (scripts, notes)
}

#[test]
fn every_combination_is_a_script_that_its_shell_and_shellcheck_accept() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut files = std::collections::BTreeSet::new();
    let texts = [
        "#!/bin/sh\nset -e\necho \"$1\"\n#DEBHELPER#\nexit 0\n",
        "#!/bin/sh -eu\necho \"$1\"\nexit 0",
        "#!/bin/bash\necho \"$1\" # the end",
        "#!/usr/bin/perl -w\nprint \"END_OF_SCRIPT\\n\";\nEND_OF_SCRIPT\n",
        "#!/bin/sh\n. /usr/share/debconf/confmodule\ndb_stop\n",
    ];
    for text in texts {
        for written_for in [Format::Deb, Format::Rpm] {
            for generated in [generated(), Generated::new()] {
                for format in [Format::Deb, Format::Rpm] {
                    let (scripts, _) = composed(format, &all(&own(text, &[], 0, written_for)), generated.clone());
                    for (stage, script) in scripts.iter() {
                        let is_perl = script.text.starts_with("#!/usr/bin/perl") || script.program() == "/usr/bin/perl";
                        if is_perl {
                            continue;
                        }
                        assert!(!script.text.contains(MARK), "{stage:?}: {}", script.text);
                        let shell = script.text.lines().next().and_then(|line| line.strip_prefix("#!"));
                        let shell = shell.filter(|_| format == Format::Deb).unwrap_or(script.program());
                        let (shell, options) = shell.split_once(' ').unwrap_or((shell, ""));
                        let head = if format == Format::Deb { String::new() } else { format!("#!{shell}\n") };
                        let file = directory.path().join(format!("{}.sh", files.len()));
                        fs_err::write(&file, format!("{head}{}", script.text)).expect("write");
                        let output = Command::new(shell).args(options.split_whitespace()).arg("-n").arg(&file).output();
                        assert!(output.expect("a shell").status.success(), "{format:?} {stage:?}:\n{}", script.text);
                        files.insert(file);
                    }
                }
            }
        }
    }
    assert!(files.len() > 100, "{}", files.len());
    // SC1091 is of debconf's library, SC2218 and SC2317 of what follows an `exit` in a subshell; SC1008 and SC2096 of first lines.
    let excluded = "--exclude=SC1091,SC1128,SC2096,SC2218,SC2317";
    match Command::new("shellcheck").args(["--severity=style", excluded]).args(&files).output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        output => {
            let output = output.expect("shellcheck");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        }
    }
}

#[test]
fn a_script_for_the_package_s_own_format_goes_through_unchanged() {
    let odd = "#!/usr/bin/perl -w\r\n# %{name} Grüße \u{feff}\n\tprint '100%';\n\n\n";
    for (format, interpreter) in [(Format::Deb, &[][..]), (Format::Rpm, &["/usr/bin/perl", "-w"][..])] {
        let (scripts, notes) = composed(format, &all(&own(odd, interpreter, 0, format)), Generated::new());
        for stage in [Stage::PreInstall, Stage::PreRemove, Stage::PostRemove] {
            assert_eq!(scripts.text(stage), Some(odd), "{format:?}");
            assert_eq!(scripts.get(stage).expect("it").interpreter, interpreter);
        }
        assert_eq!(notes.is_empty(), format == Format::Rpm, "{notes:?}");
    }
}

#[test]
fn what_cannot_be_carried_over_is_said() {
    for (script, format, expected) in [
        (own("print(1)", &["<lua>"], 0, Format::Rpm), Format::Deb, "only rpm has the interpreter <lua>"),
        (own("echo %{_arch}", &[], 1, Format::Rpm), Format::Deb, "only rpm expands the macros in it"),
        (own("semanage x", &[], 0, Format::Rpm), Format::Deb, "calls `semanage`"),
        (own("#!/bin/sh\nadduser --system x\n", &[], 0, Format::Deb), Format::Rpm, "calls `adduser`"),
        (own("#!/bin/sh\n. /usr/share/debconf/confmodule\n", &[], 0, Format::Deb), Format::Rpm, "it asks debconf"),
    ] {
        let (_, notes) = composed(format, &all(&script), Generated::new());
        assert!(notes.iter().any(|note| note.contains(expected)), "{expected}: {notes:?}");
    }
    let asks = own("#!/bin/sh\nif command -v adduser >/dev/null; then adduser x; fi\n", &[], 0, Format::Deb);
    assert_eq!(composed(Format::Rpm, &all(&asks), Generated::new()).1, [""; 0]);
    let (scripts, notes) = composed(Format::Deb, &all(&own("true", &[], 0, Format::Rpm)), Generated::new());
    assert_eq!(notes.len(), 3, "{notes:?}");
    assert_eq!(scripts.iter().count(), 4);
}

#[test]
fn scripts_that_speak_of_a_unit_or_of_units_at_all_manage_it() {
    for (text, managed) in [
        ("systemctl daemon-reload", true),
        ("/usr/bin/systemctl start x", true),
        ("service acme-tool restart", true),
        ("echo acme-tool.service", true),
        ("echo hello", false),
        ("echo acme-tools", false),
    ] {
        assert_eq!(all(&own(text, &[], 0, Format::Deb)).manage("acme-tool.service"), managed, "{text}");
    }
}
