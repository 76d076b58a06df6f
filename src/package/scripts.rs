//! Maintainer scripts (Debian Policy 6) and scriptlets (rpm-scriptlets(7)).
//!
//! Debian's are what debhelper compat 13 would generate (its autoscripts postinst-systemd-enable, -restart, prerm-… in
//! their order: users, byte-code, then units). RPM's are the expansions of systemd's macros, with a way for EL 8, whose
//! systemd has no update helper; a scriptlet always ends with exit 0, because RPM does not roll back.

use minijinja::context;

use super::systemd::Units;
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
    let Actions { units, compile, .. } = actions;
    let (enable, leave_disabled): (&[String], &[String]) =
        if units.enable { (&units.enableable, &[]) } else { (&[], &units.enableable) };
    // RPM's presets decide about enabling; the scriptlet always asks them.
    let enable = if target.format() == Format::Rpm { &units.enableable } else { enable };
    // rpm 4.19 makes users by itself, from the package's `user(…)` Provides.
    let inline_sysusers = target.distribution.rpm.is_some_and(|rpm| rpm < (4, 19));
    let values = context! {
        package,
        sysusers => units.sysusers.as_ref().map(|(name, _)| name),
        sysusers_text => units.sysusers.as_ref().filter(|_| inline_sysusers).map(|(_, text)| text),
        compile => compile.as_ref().map(|(directory, _)| directory.as_str()),
        python => compile.as_ref().map(|(_, version)| format!("/usr/bin/python{version}")),
        // Policy 6.1: without a path in Debian's.
        python_name => compile.as_ref().map(|(_, version)| format!("python{version}")),
        enable => enable.to_vec(),
        leave_disabled => leave_disabled.to_vec(),
        running => units.running.clone(),
        restart => match units.restart {
            RestartPolicy::StopStart => "stop-start",
            RestartPolicy::AfterUpgrade => "after-upgrade",
            RestartPolicy::Never => "never",
        },
        start => units.start && !units.running.is_empty(),
        marks => format!("/run/packhouse/{package}"),
    };
    let render = |source: &str| template::render(source, values.clone());
    let has_units = !units.running.is_empty();
    let stop_start = has_units && units.restart == RestartPolicy::StopStart;
    let when = |condition: bool, source: &str| condition.then(|| render(source)).transpose();
    Ok(match target.format() {
        Format::Deb => Scripts {
            pre_install: when(stop_start, include_str!("../../templates/deb/preinst.sh"))?,
            post_install: when(
                has_units || !units.enableable.is_empty() || units.sysusers.is_some() || compile.is_some(),
                include_str!("../../templates/deb/postinst.sh"),
            )?,
            pre_remove: when(has_units || compile.is_some(), include_str!("../../templates/deb/prerm.sh"))?,
            post_remove: when(has_units, include_str!("../../templates/deb/postrm.sh"))?,
            post_transaction: None,
        },
        Format::Rpm => Scripts {
            pre_install: when(
                stop_start || (inline_sysusers && units.sysusers.is_some()),
                include_str!("../../templates/rpm/pre.sh"),
            )?,
            post_install: when(
                !units.enableable.is_empty() || (units.start && has_units),
                include_str!("../../templates/rpm/post.sh"),
            )?,
            pre_remove: when(has_units || compile.is_some(), include_str!("../../templates/rpm/preun.sh"))?,
            post_remove: when(
                (has_units && units.restart == RestartPolicy::AfterUpgrade) || compile.is_some(),
                include_str!("../../templates/rpm/postun.sh"),
            )?,
            post_transaction: when(stop_start || compile.is_some(), include_str!("../../templates/rpm/posttrans.sh"))?,
        },
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use super::*;
    use crate::target::{Architecture, distribution};

    fn units(restart: RestartPolicy, enable: bool) -> Units {
        Units {
            enableable: vec!["acme-api.service".to_owned()],
            running: vec!["acme-api.service".to_owned(), "acme-api.socket".to_owned()],
            sysusers: Some(("acme-api.conf".to_owned(), "u acme-api - \"it's $(x)\" /var/lib/acme-api".to_owned())),
            restart,
            enable,
            start: enable,
        }
    }

    fn assert_shell_accepts(script: &str) {
        let mut shell = Command::new("/bin/sh").arg("-n").stdin(Stdio::piped()).spawn().expect("a shell");
        shell.stdin.take().expect("its input").write_all(script.as_bytes()).expect("the script");
        assert!(shell.wait().expect("its end").success(), "{script}");
    }

    #[test]
    fn every_combination_of_policies_is_a_script_that_the_shell_parses() {
        let compile = InstallPath::parse("/usr/lib/acme/it's/lib").expect("a path");
        for name in ["debian-12", "el8", "el9", "fedora-42"] {
            let target = Target {
                distribution: distribution(name).expect("a distribution"),
                architecture: Architecture::X86_64,
            };
            for restart in [RestartPolicy::AfterUpgrade, RestartPolicy::StopStart, RestartPolicy::Never] {
                for enable in [true, false] {
                    for compile in [None, Some((compile.clone(), PythonVersion::three(11)))] {
                        let actions = Actions { units: units(restart, enable), compile, ..Actions::default() };
                        let made = scripts("acme-api", &target, &actions).expect("scripts");
                        let all = [
                            &made.pre_install,
                            &made.post_install,
                            &made.pre_remove,
                            &made.post_remove,
                            &made.post_transaction,
                        ];
                        for script in all.into_iter().flatten() {
                            assert_shell_accepts(script);
                            assert_eq!(script.starts_with("#!/bin/sh\n"), name == "debian-12", "{script}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_package_without_units_and_byte_code_has_no_scripts() {
        let target =
            Target { distribution: distribution("debian-12").expect("it"), architecture: Architecture::X86_64 };
        assert_eq!(scripts("acme-cli", &target, &Actions::default()).expect("scripts"), Scripts::default());
    }
}
