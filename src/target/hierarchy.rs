//! Whose a place in the file system is: the distribution's, the administrator's, or a package's.
//!
//! Sources: the Filesystem Hierarchy Standard 3.0, Debian Policy 9.1, and the directories that the packages which every
//! system has bring along: Fedora's and EL's `filesystem`, `setup`, `systemd`, `systemd-udev`, `pam`, `chkconfig`,
//! `logrotate`, `crontabs`, `polkit`, `dbus-common`, `openssl-libs`; Debian's `base-files`, `systemd`, `udev`, `bash`,
//! `libpam-runtime`, `debianutils`, `dpkg`, `apt`.

use super::Format;

/// Directories that the distributions' own packages hold; a package of ours never lists them. RPM compares mode and owner
/// of a directory that two packages list, and the distributions' differ (`/usr/bin` is 0555 on EL).
const SYSTEM_DIRECTORIES: &[&str] = &[
    "/etc",
    "/etc/X11",
    "/etc/X11/applnk",
    "/etc/X11/fontpath.d",
    "/etc/X11/xinit",
    "/etc/alternatives",
    "/etc/apparmor.d",
    "/etc/apt",
    "/etc/apt/apt.conf.d",
    "/etc/apt/keyrings",
    "/etc/apt/preferences.d",
    "/etc/apt/sources.list.d",
    "/etc/apt/trusted.gpg.d",
    "/etc/bash_completion.d",
    "/etc/binfmt.d",
    "/etc/ca-certificates",
    "/etc/ca-certificates/update.d",
    "/etc/credstore",
    "/etc/credstore.encrypted",
    "/etc/cron.d",
    "/etc/cron.daily",
    "/etc/cron.hourly",
    "/etc/cron.monthly",
    "/etc/cron.weekly",
    "/etc/cron.yearly",
    "/etc/dbus-1",
    "/etc/dbus-1/session.d",
    "/etc/dbus-1/system.d",
    "/etc/default",
    "/etc/dpkg",
    "/etc/dpkg/dpkg.cfg.d",
    "/etc/firewalld",
    "/etc/firewalld/services",
    "/etc/fonts",
    "/etc/fonts/conf.d",
    "/etc/init.d",
    "/etc/kernel",
    "/etc/ld.so.conf.d",
    "/etc/logrotate.d",
    "/etc/modprobe.d",
    "/etc/modules-load.d",
    "/etc/network",
    "/etc/nginx",
    "/etc/nginx/conf.d",
    "/etc/nginx/sites-available",
    "/etc/nginx/sites-enabled",
    "/etc/opt",
    "/etc/pam.d",
    "/etc/pkcs11",
    "/etc/pki",
    "/etc/pki/ca-trust",
    "/etc/pki/rpm-gpg",
    "/etc/pki/tls",
    "/etc/pki/tls/certs",
    "/etc/pki/tls/private",
    "/etc/polkit-1",
    "/etc/polkit-1/rules.d",
    "/etc/profile.d",
    "/etc/rc.d",
    "/etc/rc.d/init.d",
    "/etc/rsyslog.d",
    "/etc/security",
    "/etc/security/limits.d",
    "/etc/security/namespace.d",
    "/etc/selinux",
    "/etc/skel",
    "/etc/ssh",
    "/etc/ssh/ssh_config.d",
    "/etc/ssh/sshd_config.d",
    "/etc/ssl",
    "/etc/ssl/certs",
    "/etc/ssl/private",
    "/etc/sudoers.d",
    "/etc/sysconfig",
    "/etc/sysctl.d",
    "/etc/systemd",
    "/etc/systemd/network",
    "/etc/systemd/system",
    "/etc/systemd/user",
    "/etc/sysusers.d",
    "/etc/tmpfiles.d",
    "/etc/udev",
    "/etc/udev/hwdb.d",
    "/etc/udev/rules.d",
    "/etc/update-motd.d",
    "/etc/xdg",
    "/etc/xdg/autostart",
    "/etc/xdg/systemd",
    "/etc/xinetd.d",
    "/etc/yum.repos.d",
    "/srv",
    "/usr",
    "/usr/bin",
    "/usr/games",
    "/usr/include",
    "/usr/lib",
    "/usr/lib/binfmt.d",
    "/usr/lib/debug",
    "/usr/lib/dracut",
    "/usr/lib/dracut/modules.d",
    "/usr/lib/environment.d",
    "/usr/lib/firewalld",
    "/usr/lib/firewalld/services",
    "/usr/lib/firmware",
    "/usr/lib/games",
    "/usr/lib/kernel",
    "/usr/lib/kernel/install.d",
    "/usr/lib/locale",
    "/usr/lib/mime",
    "/usr/lib/mime/packages",
    "/usr/lib/modprobe.d",
    "/usr/lib/modules",
    "/usr/lib/modules-load.d",
    "/usr/lib/motd.d",
    "/usr/lib/pam.d",
    "/usr/lib/python3",
    "/usr/lib/python3/dist-packages",
    "/usr/lib/rpm",
    "/usr/lib/rpm/macros.d",
    "/usr/lib/sysctl.d",
    "/usr/lib/sysimage",
    "/usr/lib/systemd",
    "/usr/lib/systemd/catalog",
    "/usr/lib/systemd/coredump.conf.d",
    "/usr/lib/systemd/journald.conf.d",
    "/usr/lib/systemd/logind.conf.d",
    "/usr/lib/systemd/network",
    "/usr/lib/systemd/ntp-units.d",
    "/usr/lib/systemd/portable",
    "/usr/lib/systemd/resolved.conf.d",
    "/usr/lib/systemd/system",
    "/usr/lib/systemd/system-environment-generators",
    "/usr/lib/systemd/system-generators",
    "/usr/lib/systemd/system-preset",
    "/usr/lib/systemd/system-shutdown",
    "/usr/lib/systemd/system-sleep",
    "/usr/lib/systemd/system.conf.d",
    "/usr/lib/systemd/user",
    "/usr/lib/systemd/user-environment-generators",
    "/usr/lib/systemd/user-generators",
    "/usr/lib/systemd/user-preset",
    "/usr/lib/systemd/user.conf.d",
    "/usr/lib/sysusers.d",
    "/usr/lib/tmpfiles.d",
    "/usr/lib/udev",
    "/usr/lib/udev/hwdb.d",
    "/usr/lib/udev/rules.d",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/sbin",
    "/usr/share",
    "/usr/share/X11",
    "/usr/share/aclocal",
    "/usr/share/appdata",
    "/usr/share/applications",
    "/usr/share/apport",
    "/usr/share/apport/package-hooks",
    "/usr/share/augeas",
    "/usr/share/augeas/lenses",
    "/usr/share/backgrounds",
    "/usr/share/bash-completion",
    "/usr/share/bash-completion/completions",
    "/usr/share/bug",
    "/usr/share/ca-certificates",
    "/usr/share/dbus-1",
    "/usr/share/dbus-1/interfaces",
    "/usr/share/dbus-1/services",
    "/usr/share/dbus-1/session.d",
    "/usr/share/dbus-1/system-services",
    "/usr/share/dbus-1/system.d",
    "/usr/share/desktop-directories",
    "/usr/share/dict",
    "/usr/share/doc",
    "/usr/share/doc-base",
    "/usr/share/elvish",
    "/usr/share/elvish/lib",
    "/usr/share/empty",
    "/usr/share/factory",
    "/usr/share/fish",
    "/usr/share/fish/vendor_completions.d",
    "/usr/share/fish/vendor_conf.d",
    "/usr/share/fish/vendor_functions.d",
    "/usr/share/fonts",
    "/usr/share/games",
    "/usr/share/glib-2.0",
    "/usr/share/glib-2.0/schemas",
    "/usr/share/gnome",
    "/usr/share/icons",
    "/usr/share/icons/hicolor",
    "/usr/share/idl",
    "/usr/share/info",
    "/usr/share/licenses",
    "/usr/share/lintian",
    "/usr/share/lintian/overrides",
    "/usr/share/locale",
    "/usr/share/logwatch",
    "/usr/share/man",
    "/usr/share/metainfo",
    "/usr/share/mime",
    "/usr/share/mime-info",
    "/usr/share/mime/packages",
    "/usr/share/misc",
    "/usr/share/omf",
    "/usr/share/pam-configs",
    "/usr/share/pixmaps",
    "/usr/share/pkgconfig",
    "/usr/share/pki",
    "/usr/share/polkit-1",
    "/usr/share/polkit-1/actions",
    "/usr/share/polkit-1/rules.d",
    "/usr/share/selinux",
    "/usr/share/selinux/packages",
    "/usr/share/sounds",
    "/usr/share/systemd",
    "/usr/share/themes",
    "/usr/share/user-tmpfiles.d",
    "/usr/share/wayland-sessions",
    "/usr/share/xml",
    "/usr/share/xsessions",
    "/usr/share/zsh",
    "/usr/share/zsh/site-functions",
    "/usr/share/zsh/vendor-completions",
    "/usr/src",
    "/var",
    "/var/adm",
    "/var/backups",
    "/var/cache",
    "/var/cache/private",
    "/var/db",
    "/var/empty",
    "/var/games",
    "/var/lib",
    "/var/lib/games",
    "/var/lib/misc",
    "/var/lib/private",
    "/var/lib/systemd",
    "/var/local",
    "/var/log",
    "/var/log/journal",
    "/var/log/private",
    "/var/mail",
    "/var/nis",
    "/var/opt",
    "/var/preserve",
    "/var/spool",
    "/var/spool/cron",
    "/var/spool/lpd",
    "/var/spool/mail",
    "/var/yp",
];

/// The sections that `filesystem` brings a directory for, in `/usr/share/man` and in each language's directory below it.
const MAN_SECTIONS: &[&str] = &[
    "man0p", "man1", "man1p", "man1x", "man2", "man2x", "man3", "man3p", "man3x", "man4", "man4x", "man5", "man5x",
    "man6", "man6x", "man7", "man7x", "man8", "man8x", "man9", "man9x", "mann",
];

/// Files that the distributions' packages or the machine's administrator hold, and that other packages must not bring.
const SYSTEM_FILES: &[&str] = &[
    "/etc/adjtime",
    "/etc/aliases",
    "/etc/bash.bashrc",
    "/etc/bashrc",
    "/etc/crontab",
    "/etc/csh.cshrc",
    "/etc/csh.login",
    "/etc/debian_version",
    "/etc/environment",
    "/etc/exports",
    "/etc/filesystems",
    "/etc/fstab",
    "/etc/group",
    "/etc/gshadow",
    "/etc/host.conf",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/inputrc",
    "/etc/issue",
    "/etc/issue.net",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.preload",
    "/etc/localtime",
    "/etc/login.defs",
    "/etc/machine-id",
    "/etc/motd",
    "/etc/mtab",
    "/etc/networks",
    "/etc/nsswitch.conf",
    "/etc/os-release",
    "/etc/passwd",
    "/etc/printcap",
    "/etc/profile",
    "/etc/protocols",
    "/etc/redhat-release",
    "/etc/resolv.conf",
    "/etc/rpc",
    "/etc/securetty",
    "/etc/services",
    "/etc/shadow",
    "/etc/shells",
    "/etc/ssh/ssh_config",
    "/etc/ssh/sshd_config",
    "/etc/subgid",
    "/etc/subuid",
    "/etc/sudoers",
    "/etc/sysctl.conf",
    "/etc/system-release",
    "/etc/timezone",
    "/usr/lib/os-release",
];

/// A part of the file system where a package may install nothing.
struct Forbidden {
    /// The directory; everything below it, too.
    directory: &'static str,
    /// Why, with the source.
    rule: &'static str,
    /// What to do.
    hint: &'static str,
    /// The one format it is forbidden in; `None` for both.
    format: Option<Format>,
}

const fn forbidden(directory: &'static str, rule: &'static str, hint: &'static str) -> Forbidden {
    Forbidden { directory, rule, hint, format: None }
}

const MERGED: &str = "is only another name of a directory in /usr, and packages must not use it (Debian Policy 10.1)";
const RUN_TIME: &str = "is empty after each start of the machine (FHS 3.15, Debian Policy 9.1.4)";
const RUN_TIME_HINT: &str = "let the service's unit make it: RuntimeDirectory=, or a tmpfiles.d entry";
const KERNEL: &str = "is the kernel's (FHS 6.1, 3.6)";
const KERNEL_HINT: &str = "leave it out";
const USERS: &str = "is the users' own place (FHS 3.8, 3.14)";
const USERS_HINT: &str = "install it below /usr/share or /etc/skel instead";
const TEMPORARY: &str = "is for files that may vanish at any time (FHS 3.18, 5.15)";
const ADMINISTRATORS: &str = "is the administrator's (FHS 3.11, 3.12, 3.17)";
const SCRIPTS: &str = "is read by the package's own scripts, which must know of each file";
const SYSUSERS_HINT: &str = "list the file in [services.NAME.systemd] sysusers, or name the `user` there";
const TMPFILES_HINT: &str = "list the file in [services.NAME.systemd] tmpfiles";
const UNITS_HINT: &str = "list the unit in [services.NAME.systemd] units";

/// The most specific stands first.
const FORBIDDEN: &[Forbidden] = &[
    forbidden("/bin", MERGED, "write /usr/bin/… instead"),
    forbidden("/sbin", MERGED, "write /usr/sbin/… instead"),
    forbidden("/lib", MERGED, "write /usr/lib/… instead"),
    forbidden("/lib32", MERGED, "write /usr/lib/… instead"),
    forbidden("/lib64", MERGED, "write /usr/lib/… instead"),
    forbidden("/libx32", MERGED, "write /usr/lib/… instead"),
    Forbidden {
        directory: "/usr/lib64",
        rule: "must not be used by packages of Debian (Debian Policy 9.1.1)",
        hint: "write /usr/lib/… instead, or keep the entry to rpm: targets = [\"rpm\"]",
        format: Some(Format::Deb),
    },
    forbidden("/usr/lib32", "is for the libraries of another architecture (FHS 4.8)", "write /usr/lib/… instead"),
    forbidden("/usr/libx32", "is for the libraries of another architecture (FHS 4.8)", "write /usr/lib/… instead"),
    forbidden(
        "/usr/local",
        "is the administrator's (FHS 4.9, Debian Policy 9.1.2)",
        "leave `local/` out of the path: packages install into /usr itself",
    ),
    forbidden("/usr/tmp", TEMPORARY, "let the service's unit make it: CacheDirectory= or PrivateTmp="),
    forbidden("/usr/man", "was given up (FHS 4.11)", "write /usr/share/man/… instead"),
    forbidden("/usr/doc", "was given up (FHS 4.11)", "write /usr/share/doc/… instead"),
    forbidden("/usr/info", "was given up (FHS 4.11)", "write /usr/share/info/… instead"),
    forbidden("/usr/X11R6", "was given up (FHS 4.1)", "write /usr/… instead"),
    forbidden(
        "/opt",
        "is for software that is no part of a distribution (FHS 3.13); lintian and rpmlint call it an error",
        "install it below /usr/lib/ORG/SERVICE",
    ),
    forbidden("/home", USERS, USERS_HINT),
    forbidden("/root", USERS, USERS_HINT),
    forbidden("/tmp", TEMPORARY, "let the service's unit make it: PrivateTmp= or RuntimeDirectory="),
    forbidden("/var/tmp", TEMPORARY, "let the service's unit make it: CacheDirectory= or StateDirectory="),
    forbidden("/run", RUN_TIME, RUN_TIME_HINT),
    forbidden("/var/run", RUN_TIME, RUN_TIME_HINT),
    forbidden("/var/lock", RUN_TIME, RUN_TIME_HINT),
    forbidden("/dev", KERNEL, KERNEL_HINT),
    forbidden("/proc", KERNEL, KERNEL_HINT),
    forbidden("/sys", KERNEL, KERNEL_HINT),
    forbidden("/boot", "is the boot loader's (FHS 3.5)", KERNEL_HINT),
    forbidden("/efi", "is the boot loader's (FHS 3.5)", KERNEL_HINT),
    forbidden("/media", ADMINISTRATORS, "install it below /usr/share or /var/lib"),
    forbidden("/mnt", ADMINISTRATORS, "install it below /usr/share or /var/lib"),
    forbidden("/srv", ADMINISTRATORS, "install it below /usr/share or /var/lib"),
    forbidden("/lost+found", "is the file system's own (FHS 3.2)", KERNEL_HINT),
    forbidden("/var/lib/dpkg", "is dpkg's database", "leave it out: dpkg writes it by itself"),
    forbidden("/var/lib/rpm", "is rpm's database", "leave it out: rpm writes it by itself"),
    forbidden("/usr/lib/sysimage", "is rpm's database", "leave it out: rpm writes it by itself"),
    forbidden(
        "/etc/alternatives",
        "is kept by update-alternatives(1)",
        "install the command under a name of its own in /usr/bin",
    ),
    forbidden("/etc/systemd/system", "is the administrator's (systemd.unit(5))", UNITS_HINT),
    forbidden("/etc/systemd/user", "is the administrator's (systemd.unit(5))", UNITS_HINT),
    forbidden("/etc/sysusers.d", "is the administrator's (sysusers.d(5))", SYSUSERS_HINT),
    forbidden("/etc/tmpfiles.d", "is the administrator's (tmpfiles.d(5))", TMPFILES_HINT),
    forbidden("/usr/lib/sysusers.d", SCRIPTS, SYSUSERS_HINT),
    forbidden("/usr/lib/tmpfiles.d", SCRIPTS, TMPFILES_HINT),
    forbidden(
        "/etc/ld.so.conf.d",
        "would change where every program finds its libraries",
        "give the program an RPATH with $ORIGIN instead",
    ),
    forbidden("/usr/lib/debug", "is for detached debugging information", "leave it out"),
];

/// Whether packages of the distributions hold the directory `path`.
pub(crate) fn is_system_directory(path: &str) -> bool {
    if SYSTEM_DIRECTORIES.binary_search(&path).is_ok() || path.rsplit_once('/').is_some_and(|(top, _)| top.is_empty()) {
        return true;
    }
    if let Some(below) = path.strip_prefix("/usr/share/man/") {
        let (language, section) = below.split_once('/').unwrap_or(("", below));
        let is_section = MAN_SECTIONS.contains(&section);
        return if below.contains('/') {
            is_language(language) && is_section
        } else {
            is_section || is_language(below)
        };
    }
    if let Some(below) = path.strip_prefix("/usr/share/locale/") {
        return !below.trim_end_matches("/LC_MESSAGES").contains('/');
    }
    if let Some(below) = path.strip_prefix("/usr/share/icons/hicolor/") {
        return below.split('/').count() <= 2;
    }
    // The directories of units that units of ours are wanted by.
    path.strip_prefix("/usr/lib/systemd/system/")
        .or_else(|| path.strip_prefix("/usr/lib/systemd/user/"))
        .is_some_and(|below| SYSTEM_WANTS.contains(&below))
}

/// Directories in systemd's directories of units that systemd's own package brings.
const SYSTEM_WANTS: &[&str] = &[
    "getty.target.wants",
    "graphical.target.wants",
    "local-fs.target.wants",
    "multi-user.target.wants",
    "sockets.target.wants",
    "sysinit.target.wants",
    "timers.target.wants",
];

/// `de`, `pt_BR`, `zh_TW.UTF-8`, `sr@latin`.
fn is_language(name: &str) -> bool {
    let base = name.split(['_', '.', '@']).next().unwrap_or_default();
    (2..=3).contains(&base.len()) && base.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// Why a package of `format` must not install anything at `path`, and what to do instead; `None` when it may.
pub(crate) fn objection(path: &str, format: Format) -> Option<(String, &'static str)> {
    if SYSTEM_FILES.binary_search(&path).is_ok() {
        let hint = "most programs read a directory beside it (`….d`): install a file of your own there";
        return Some((format!("`{path}` belongs to the distribution"), hint));
    }
    let within =
        |directory: &str| path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if let Some(found) =
        FORBIDDEN.iter().find(|one| one.format.is_none_or(|only| only == format) && within(one.directory))
    {
        return Some((format!("`{}` {}", found.directory, found.rule), found.hint));
    }
    if is_system_directory(path) {
        return Some((
            format!("the directory `{path}` belongs to the distribution"),
            "install something of a name of its own in it",
        ));
    }
    // One directory below / that the FHS does not know.
    let top = path.split('/').nth(1).unwrap_or_default();
    if !matches!(top, "etc" | "usr" | "var") {
        return Some((
            format!("`/{top}` is none of the directories that packages install into (FHS 3.1)"),
            "install it below /usr/lib/ORG/SERVICE, /usr/share, /etc or /var/lib",
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_as_they_are_searched() {
        assert!(SYSTEM_DIRECTORIES.is_sorted());
        assert!(SYSTEM_FILES.is_sorted());
        assert!(MAN_SECTIONS.is_sorted());
    }

    #[test]
    fn what_the_distributions_hold_is_not_ours() {
        for path in [
            "/usr",
            "/usr/share/man/man8",
            "/usr/share/man/de",
            "/usr/share/man/pt_BR/man1",
            "/usr/share/locale/de/LC_MESSAGES",
            "/usr/share/icons/hicolor/48x48/apps",
            "/usr/lib/systemd/system/multi-user.target.wants",
            "/etc/sudoers.d",
        ] {
            assert!(is_system_directory(path), "{path}");
        }
        for path in [
            "/usr/lib/acme",
            "/etc/acme",
            "/usr/share/man/acme",
            "/usr/share/man/man8/acme",
            "/usr/share/doc/acme-api",
            "/usr/lib/systemd/system/acme-api.service.d",
            "/usr/share/icons/hicolor/48x48/apps/acme",
        ] {
            assert!(!is_system_directory(path), "{path}");
        }
    }

    #[test]
    fn every_forbidden_place_and_what_is_below_it_has_a_reason_and_a_remedy() {
        for place in FORBIDDEN {
            for path in [place.directory.to_owned(), format!("{}/x/y", place.directory)] {
                let (reason, hint) = objection(&path, place.format.unwrap_or(Format::Rpm)).expect("an objection");
                assert!(reason.contains(place.directory) && !hint.is_empty(), "{path}: {reason}");
            }
        }
        for path in ["/etc/passwd", "/etc", "/usr/bin", "/opt", "/nix/store", "/srv/www/x"] {
            assert!(objection(path, Format::Deb).is_some(), "{path}");
        }
        for path in ["/etc/acme/x", "/etc/cron.d/acme", "/usr/share/acme", "/var/lib/acme", "/usr/bin/x", "/optical/x"]
        {
            assert_eq!(objection(path, Format::Deb).is_some(), path.starts_with("/optical"), "{path}");
        }
        assert!(objection("/usr/lib64/acme", Format::Rpm).is_none());
    }

    #[test]
    fn no_directory_of_the_system_is_one_of_debian_12s_packages_that_the_table_lacks() {
        // The directories of the packages that every system has, read from the machine when it is a Debian.
        let mut unknown = Vec::new();
        for package in ["base-files", "systemd", "udev", "bash", "libpam-runtime", "dpkg", "debianutils"] {
            let Ok(list) = fs_err::read_to_string(format!("/var/lib/dpkg/info/{package}.list")) else { continue };
            for line in list.lines().filter(|line| line.starts_with("/etc/") || line.starts_with("/usr/share/")) {
                let own = ["/usr/share/doc/", "/usr/share/lintian/", "/usr/share/bug/", "/usr/share/base-files"];
                let own = own.iter().any(|own| line.starts_with(own)) || line.contains(package);
                if std::path::Path::new(line).is_dir() && !own && !is_system_directory(line) {
                    unknown.push(line.to_owned());
                }
            }
        }
        // Private places of one package that nobody else installs into.
        let private =
            ["/etc/apt", "/etc/kernel", "/etc/dpkg", "/etc/security", "/usr/share/", "/etc/systemd", "/etc/udev"];
        unknown.retain(|path| !private.iter().any(|private| path.starts_with(private)));
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}
