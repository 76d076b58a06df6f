//! What of this machine may have a say in what is built, beside the files of the repository: what the kernel permits to
//! whom, and which packages are installed. Interpreters and toolchains are told by [`crate::ecosystem::Ecosystem::machine`].

use super::look::{Manner, Paths};
use crate::config::Settings;
use crate::ecosystem;

/// Which user with which rights, on which run of which kernel: whether namespaces can be had follows from these.
pub(super) fn facts() -> String {
    let read = |file: &str| fs_err::read_to_string(file).unwrap_or_default();
    let mut facts: Vec<String> = [
        "/proc/sys/kernel/random/boot_id",
        "/proc/sys/kernel/unprivileged_userns_clone",
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "/proc/sys/user/max_user_namespaces",
        "/proc/sys/user/max_mnt_namespaces",
        "/proc/sys/user/max_net_namespaces",
        "/proc/self/attr/current",
    ]
    .into_iter()
    .map(read)
    .collect();
    let wanted = ["Uid:", "Gid:", "Groups:", "CapEff:", "CapBnd:", "NoNewPrivs:", "Seccomp:"];
    let status = read("/proc/self/status");
    facts.extend(status.lines().filter(|line| wanted.iter().any(|name| line.starts_with(name))).map(str::to_owned));
    facts.join("\n")
}

/// The records of package managers, and what languages look for.
pub(super) fn paths(paths: &mut Paths, settings: &Settings) {
    for file in [
        "/etc/os-release",
        "/etc/ld.so.cache",
        "/var/lib/dpkg/status",
        "/var/lib/rpm/Packages",
        "/var/lib/rpm/Packages.db",
        "/var/lib/rpm/rpmdb.sqlite",
        "/var/lib/rpm/rpmdb.sqlite-wal",
        "/usr/lib/sysimage/rpm/Packages.db",
        "/usr/lib/sysimage/rpm/rpmdb.sqlite",
        "/usr/lib/sysimage/rpm/rpmdb.sqlite-wal",
        "/lib/apk/db/installed",
        "/var/lib/pacman/local",
        "/run/current-system",
    ] {
        paths.add_file(file);
    }
    for directory in ["/usr/bin", "/usr/local/bin"] {
        paths.add(directory, Manner::Place);
    }
    for ecosystem in ecosystem::all() {
        ecosystem.machine(settings).into_iter().for_each(|file| paths.add_file(file));
    }
}
