//! A machine with stubs in place of systemd's programs.

use std::process::Command;

/// Runs scripts with stubs that write down how they were called. `/run` is another directory, and so is `/usr/lib`.
pub(super) struct Machine {
    root: tempfile::TempDir,
}

/// `systemctl` answers from files: `active` and `enabled` hold lines `UNIT STATE`.
const SYSTEMCTL: &str = r#"#!/bin/sh
echo "systemctl $*" >> "$MACHINE/calls"
case "$1" in
is-active) sed -n "s/^$2 //p" "$MACHINE/active" ;;
is-enabled) sed -n "s/^$2 //p" "$MACHINE/enabled" ;;
esac
"#;

pub(super) const STUB: &str = "#!/bin/sh\necho \"${0##*/} $*\" >> \"$MACHINE/calls\"\n";

impl Machine {
    pub(super) fn new(booted: bool) -> Self {
        let root = tempfile::tempdir().expect("a directory");
        let machine = Self { root };
        fs_err::create_dir_all(machine.path("bin")).expect("mkdir");
        fs_err::create_dir_all(machine.path("run")).expect("mkdir");
        fs_err::create_dir_all(machine.path("usr/lib/acme/it's/lib")).expect("mkdir");
        if booted {
            fs_err::create_dir_all(machine.path("run/systemd/system")).expect("mkdir");
        }
        for (program, text) in [
            ("systemctl", SYSTEMCTL),
            ("deb-systemd-helper", STUB),
            ("deb-systemd-invoke", STUB),
            ("systemd-sysusers", STUB),
            ("systemd-tmpfiles", STUB),
            ("dpkg-maintscript-helper", STUB),
            ("dpkg-statoverride", "#!/bin/sh\nexit 1\n"),
            ("setcap", STUB),
            ("chown", STUB),
            ("chmod", STUB),
            ("python3.11", STUB),
        ] {
            use std::os::unix::fs::PermissionsExt as _;
            let file = machine.path(&format!("bin/{program}"));
            fs_err::write(&file, text).expect("write");
            fs_err::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("chmod");
        }
        for file in ["active", "enabled", "calls"] {
            fs_err::write(machine.path(file), "").expect("write");
        }
        machine
    }

    pub(super) fn path(&self, relative: &str) -> std::path::PathBuf {
        self.root.path().join(relative)
    }

    /// These units are installed, each with what `is-enabled` and `is-active` say of it.
    pub(super) fn units(&self, units: &[(&str, &str, &str)]) {
        let (mut enabled, mut active) = (String::new(), String::new());
        fs_err::create_dir_all(self.path("usr/lib/systemd/system")).expect("mkdir");
        for (unit, is_enabled, is_active) in units {
            fs_err::write(self.path(&format!("usr/lib/systemd/system/{unit}")), "").expect("write");
            enabled.push_str(&format!("{unit} {is_enabled}\n"));
            active.push_str(&format!("{unit} {is_active}\n"));
        }
        fs_err::write(self.path("enabled"), enabled).expect("write");
        fs_err::write(self.path("active"), active).expect("write");
    }

    /// Runs a script; what it called, one call a line.
    pub(super) fn run(&self, script: &str, arguments: &[&str]) -> Vec<String> {
        let root = self.root.path().to_str().expect("UTF-8");
        fs_err::write(self.path("calls"), "").expect("write");
        // The paths of the machine are below the directory of the test.
        let script = script
            .replace("/run/", &format!("{root}/run/"))
            .replace("/usr/lib/systemd/system/", &format!("{root}/usr/lib/systemd/system/"))
            .replace("/usr/lib/acme/", &format!("{root}/usr/lib/acme/"))
            .replace("/var/lib/", &format!("{root}/var/lib/"))
            .replace("/usr/lib/systemd/systemd-update-helper", &format!("{root}/helper"));
        let file = self.path("script");
        fs_err::write(&file, script).expect("write");
        let output = Command::new("/bin/sh")
            .arg(&file)
            .args(arguments)
            .env("PATH", format!("{root}/bin:/usr/bin:/bin"))
            .env("MACHINE", root)
            .env_remove("DPKG_ROOT")
            .output()
            .expect("a shell");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}");
        assert_eq!(said, "", "{arguments:?}");
        let calls = fs_err::read_to_string(self.path("calls")).expect("calls");
        calls.lines().filter(|line| !line.starts_with("systemctl is-")).map(str::to_owned).collect()
    }

    pub(super) fn has_memory(&self) -> bool {
        self.path("run/packhouse/acme-api").exists()
    }
}
