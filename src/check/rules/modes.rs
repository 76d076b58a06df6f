//! Modes and owners (Policy 10.9; rpm-spec(5), %attr).

use crate::check::subject::{Item, is_command};
use crate::check::{Formats, Hit, Rule, Severity, Subject, relation};
use crate::format::{FileKind, is_shared_library};
use crate::target::Format;

pub(in crate::check) static RULES: &[Rule] = &[
    Rule {
        code: "world-writable",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "everybody may write to a file or directory of the package",
        explanation: "Any user of the machine could replace it, and whoever uses it next runs what that user wrote.",
        remedy: "Take the write permission of others away; a directory for everybody needs the sticky bit (1777).",
        source: "Policy 10.9; lintian world-writable; rpmlint world-writable",
        find: world_writable,
    },
    Rule {
        code: "setuid-file",
        severity: Severity::Warning,
        formats: Formats::Both,
        title: "a program runs with the rights of its owner",
        explanation: "A mistake in a set-user-id or set-group-id program gives its owner's rights, mostly root's, to every user.",
        remedy: "Use a service with its own user, or file capabilities; where it is meant, allow it with a reason.",
        source: "Policy 10.9; lintian elevated-privileges; rpmlint setuid-binary",
        find: setuid,
    },
    Rule {
        code: "unusable-mode",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "not even the owner can read a file or enter a directory",
        explanation: "A mode without the owner's read permission (and execute permission for directories) is a mistake: it was set by \
                      a step that lost the bits, and services that are not root cannot use the file.",
        remedy: "Give files 0644 or 0755 and directories 0755, or the mode that is meant.",
        source: "Policy 10.9; rpmlint zero-perms",
        find: unusable,
    },
    Rule {
        code: "unusual-mode",
        severity: Severity::Warning,
        formats: Formats::Both,
        title: "a mode that packages do not have",
        explanation: "Modes such as 0664 or 0775 come from a developer's umask, not from a decision.",
        remedy: "Give files 0644 or 0755 (0640 or 0600 for secrets), and directories 0755 (0750 or 0700 for state).",
        source: "Policy 10.9; lintian non-standard-file-perm, non-standard-dir-perm; rpmlint non-standard-executable-perm",
        find: unusual,
    },
    Rule {
        code: "library-mode",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "a shared library has the other format's mode",
        explanation: "Debian's libraries are 0644; RPM's are 0755, because rpm's tools find libraries by their executable bit.",
        remedy: "Build it with packhouse, which gives each format its mode.",
        source: "Policy 8.1, 10.9; lintian shared-library-is-executable; rpmlint shared-library-not-executable",
        find: library,
    },
    Rule {
        code: "command-not-executable",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "a command cannot be executed",
        explanation: "A file in the path, or what a link in the path leads to, has no executable bit: the shell says \
                      “permission denied”.",
        remedy: "Give it the mode 0755.",
        source: "packhouse; rpmlint non-executable-in-bin",
        find: command,
    },
    Rule {
        code: "unknown-owner",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "a file belongs to a user that need not exist",
        explanation: "dpkg and rpm set owners while they unpack. A name that the machine does not know then becomes root, or the number \
                      that the build machine had, which may be anybody.",
        remedy: "Let root own it, and let systemd make the service's directories (`StateDirectory=`); with rpm, make the user in \
                 sysusers.d of the same package.",
        source: "Policy 9.2, 10.9; lintian wrong-file-owner-uid-or-gid; rpm-spec(5)",
        find: owner,
    },
];

fn world_writable(subject: &Subject) -> Vec<Hit> {
    let open = subject.items().filter(|item| {
        item.mode & 0o002 != 0
            && match item.kind {
                FileKind::File | FileKind::Hardlink => true,
                FileKind::Directory => item.mode & 0o1000 == 0,
                FileKind::Symlink | FileKind::Special => false,
            }
    });
    open.map(|item| Hit::at(&item.path, format!("its mode is {:04o}", item.mode))).collect()
}

fn setuid(subject: &Subject) -> Vec<Hit> {
    let files = subject.files().filter(|item| item.mode & 0o6000 != 0);
    files.map(|item| Hit::at(&item.path, format!("its mode is {:04o}", item.mode))).collect()
}

fn unusable(subject: &Subject) -> Vec<Hit> {
    let lost = |item: &&Item| match item.kind {
        FileKind::File | FileKind::Hardlink => item.mode & 0o400 == 0 && !item.ghost,
        FileKind::Directory => item.mode & 0o500 != 0o500,
        FileKind::Symlink | FileKind::Special => false,
    };
    // /etc/shadow of EL has the mode 0000 on purpose.
    let meant = |item: &&Item| !(item.config && item.mode == 0);
    let found = subject.items().filter(lost).filter(meant);
    found.map(|item| Hit::at(&item.path, format!("its mode is {:04o}", item.mode))).collect()
}

fn unusual(subject: &Subject) -> Vec<Hit> {
    const FILES: [u32; 11] = [0o644, 0o755, 0o444, 0o555, 0o640, 0o600, 0o440, 0o400, 0o750, 0o700, 0o660];
    const DIRECTORIES: [u32; 14] =
        [0o755, 0o555, 0o750, 0o700, 0o710, 0o711, 0o751, 0o770, 0o775, 0o2755, 0o2775, 0o2750, 0o1777, 0o1770];
    let odd = |item: &&Item| match item.kind {
        FileKind::File | FileKind::Hardlink => {
            item.mode & 0o6002 == 0 && item.mode & 0o400 != 0 && !FILES.contains(&item.mode)
        }
        FileKind::Directory => {
            let group = item.group != "root" || !matches!(item.mode, 0o770 | 0o775);
            item.mode & 0o500 == 0o500 && item.mode & 0o002 == 0 && !(DIRECTORIES.contains(&item.mode) && group)
        }
        FileKind::Symlink | FileKind::Special => false,
    };
    let found = subject.items().filter(|item| !item.ghost).filter(odd);
    found.map(|item| Hit::at(&item.path, format!("its mode is {:04o}", item.mode))).collect()
}

fn library(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    for item in subject.files().filter(|item| is_shared_library(item.name())) {
        let Some(facts) = item.elf() else { continue };
        // A few programs are libraries as well: libc.so.6, ld.so.
        if facts.has_interpreter || !facts.is_shared || item.mode & 0o7022 != 0 {
            continue;
        }
        match subject.format {
            Format::Deb if item.is_executable() => {
                hits.push(Hit::at(&item.path, "a library of Debian is not executable"))
            }
            Format::Rpm if !item.is_executable() => hits.push(Hit::at(&item.path, "a library of RPM is executable")),
            _ => {}
        }
    }
    hits
}

fn command(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    for item in subject.items().filter(|item| is_command(&item.path) && !item.ghost) {
        let Some(target) = subject.target(&item.path) else { continue };
        let is_file = matches!(target.kind, FileKind::File | FileKind::Hardlink);
        if is_file && target.mode & 0o111 == 0 {
            let what = if target.path == item.path {
                "it".to_owned()
            } else {
                format!("`{}`, which it leads to,", target.path)
            };
            hits.push(Hit::at(&item.path, format!("{what} has the mode {:04o}", target.mode)));
        }
    }
    hits
}

/// Users and groups with fixed numbers: Debian's base-passwd, RPM's setup.
const USERS: [&str; 24] = [
    "root", "daemon", "bin", "sys", "sync", "games", "man", "lp", "mail", "news", "uucp", "proxy", "www-data",
    "backup", "list", "irc", "nobody", "adm", "shutdown", "halt", "operator", "ftp", "_apt", "gnats",
];
const GROUPS: [&str; 44] = [
    "root", "daemon", "bin", "sys", "adm", "tty", "disk", "lp", "mail", "news", "uucp", "man", "proxy", "kmem",
    "dialout", "fax", "voice", "cdrom", "floppy", "tape", "sudo", "audio", "dip", "www-data", "backup", "operator",
    "list", "irc", "src", "shadow", "utmp", "video", "sasl", "plugdev", "staff", "games", "users", "nogroup", "nobody",
    "wheel", "mem", "lock", "input", "ftp",
];

fn owner(subject: &Subject) -> Vec<Hit> {
    let made = super::users::made(subject);
    let known = |kind: &str, table: &[&str], name: &str| {
        name == "0"
            || table.contains(&name)
            // rpm makes the users of sysusers.d before it unpacks; packhouse's .deb sets the owner in its postinst.
            || ((subject.format == Format::Rpm || subject.unwritten) && made.iter().any(|made| made == name))
            || subject.format == Format::Rpm
                && {
                    let capability = format!("{kind}({name})");
                    let provided = subject.relation("Provides").iter().any(|one| relation::names(subject.format, one).any(|found| found == capability));
                    provided || subject.requires(&capability)
                }
            // Older packages make their users in %pre.
            || subject.format == Format::Rpm
                && subject.scripts.iter().any(|script| script.name == "pre" && crate::check::shell::has_word(&script.text, name))
    };
    let mut hits = Vec::new();
    for item in subject.items().filter(|item| item.kind != FileKind::Symlink) {
        let user = !known("user", &USERS, &item.user);
        let group = !known("group", &GROUPS, &item.group);
        if user || group {
            hits.push(Hit::at(&item.path, format!("it belongs to {}:{}", item.user, item.group)));
        }
    }
    hits
}
