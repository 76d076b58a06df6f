//! Where files may lie (FHS 3.0; Policy 9.1).

use std::collections::HashMap;

use crate::check::subject::Item;
use crate::check::{Formats, Hit, Rule, Severity, Subject};
use crate::format::FileKind;

pub(in crate::check) static RULES: &[Rule] = &[
    Rule {
        code: "forbidden-place",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "a file lies where no package may put one",
        explanation: "`/usr/local`, `/opt`, `/home`, `/root`, `/srv` and `/mnt` belong to the administrator; `/tmp`, `/run`, `/dev`, \
                      `/proc` and `/sys` are empty after each start; `/var/run` and `/var/lock` are links.",
        remedy: "Install programs under `/usr/lib/ORG/SERVICE`, configuration under `/etc`, state under `/var/lib`; let systemd make \
                 what lies in `/run` (`RuntimeDirectory=`, tmpfiles.d).",
        source: "FHS 3.0; Policy 9.1.1, 9.1.2; lintian dir-or-file-in-opt and its kind; rpmlint dir-or-file-in-opt",
        find: forbidden,
    },
    Rule {
        code: "aliased-place",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "a file lies in /bin, /sbin or /lib instead of below /usr",
        explanation: "On merged systems these are links into `/usr`. dpkg does not know that two paths are one file, and loses files \
                      when packages move them.",
        remedy: "Install it below `/usr`: `/usr/lib/systemd/system`, `/usr/bin`.",
        source: "Policy 10.1 (since 4.6.2), Debian's usrmerge; lintian aliased-location",
        find: aliased,
    },
    Rule {
        code: "build-place",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "a file lies in a directory of a build",
        explanation: "The package installs the tree in which it was built, because some step took an absolute path for one below the \
                      staging directory.",
        remedy: "Correct the path in the build step or in `files` of `[services.NAME]`.",
        source: "lintian dir-or-file-in-build-tree; rpmlint dir-or-file-in-build-root",
        find: build,
    },
    Rule {
        code: "distribution-directory",
        severity: Severity::Error,
        formats: Formats::RPM,
        title: "the package owns a directory of the distribution",
        explanation: "RPM lets several packages own a directory only when they agree on its mode and owner. `/usr/bin` and its kind \
                      belong to the package `filesystem`; another owner makes upgrades of that one fail, or changes the \
                      directory for everybody.",
        remedy: "List only the directories that the package brings.",
        source: "Fedora packaging guidelines, File and Directory Ownership; rpmlint standard-dir-owned-by-package",
        find: owned,
    },
    Rule {
        code: "build-id-of-vendored-file",
        severity: Severity::Error,
        formats: Formats::RPM,
        title: "a .build-id link leads to a vendored library",
        explanation: "rpmbuild links every ELF file below `/usr/lib/.build-id` by its build id. Two services that vendor the same wheel \
                      have the same id, and cannot be installed together.",
        remedy: "Build it with packhouse, which makes no such links, or set `%global _build_id_links none` in the spec file.",
        source: "rpm's macro documentation, _build_id_links",
        find: build_ids,
    },
    Rule {
        code: "special-file",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "the package holds a device, a pipe or a socket",
        explanation: "Devices are the kernel's, pipes and sockets are made when the service runs.",
        remedy: "Make it at run time: tmpfiles.d, a .socket unit, udev.",
        source: "Policy 10.6; lintian character-device, named-pipe; rpmlint device-file-in-package",
        find: special,
    },
    Rule {
        code: "case-collision",
        severity: Severity::Warning,
        formats: Formats::Both,
        title: "two files differ in the case of their names only",
        explanation: "They become one on a file system that does not tell capital letters from small ones, in images and on shares.",
        remedy: "Rename one of them.",
        source: "packhouse; wheels and sdists are refused for the same reason",
        find: collisions,
    },
    Rule {
        code: "time-of-future",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "a file is newer than its package",
        explanation: "A time after that of the package tells that a clock went into it: two builds differ. make(1) and tar(1) complain \
                      about files from the future.",
        remedy: "Build it with packhouse, or set SOURCE_DATE_EPOCH and clamp times.",
        source: "reproducible-builds.org, SOURCE_DATE_EPOCH; rpmlint changelog-time-in-future",
        find: future,
    },
    Rule {
        code: "ancient-file",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "a file has a time before 1984",
        explanation: "The time was lost on the way, often as 1970 or 1980 from a zip archive. Debian's archive refuses such packages.",
        remedy: "Build it with packhouse, which gives every file the time of the last change, or touch the file.",
        source: "Debian's archive; lintian package-contains-ancient-file",
        find: ancient,
    },
];

fn below(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
}

const FORBIDDEN: [&str; 15] = [
    "/usr/local",
    "/opt",
    "/home",
    "/root",
    "/srv",
    "/mnt",
    "/media",
    "/tmp",
    "/var/tmp",
    "/run",
    "/var/run",
    "/var/lock",
    "/dev",
    "/proc",
    "/sys",
];

fn forbidden(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    // What RPM owns without shipping it is made at run time.
    for item in subject.items().filter(|item| !item.ghost) {
        let found = FORBIDDEN.iter().find(|directory| below(&item.path, directory));
        // The kernel's own files lie directly in /boot; what another package puts there fills a small partition.
        if let Some(directory) = found.copied().or_else(|| below(&item.path, "/boot").then_some("/boot")) {
            hits.push(Hit::at(&item.path, format!("`{directory}` is not for packages")));
        }
    }
    hits
}

fn aliased(subject: &Subject) -> Vec<Hit> {
    const ALIASED: [&str; 5] = ["/bin", "/sbin", "/lib", "/lib64", "/lib32"];
    let files = subject.items().filter(|item| item.kind != FileKind::Directory);
    let found = files.filter_map(|item| Some((item, ALIASED.iter().find(|directory| below(&item.path, directory))?)));
    found
        .map(|(item, directory)| Hit::at(&item.path, format!("`{directory}` is a link to `/usr{directory}`")))
        .collect()
}

fn build(subject: &Subject) -> Vec<Hit> {
    const BUILD: [&str; 6] = ["/build", "/builds", "/packhouse", "/buildroot", "/__w", "/github"];
    let found = subject
        .items()
        .filter(|item| BUILD.iter().any(|directory| item.path == *directory || below(&item.path, directory)));
    found.map(|item| Hit::at(&item.path, "this is a directory of builds")).collect()
}

/// Directories of the package `filesystem` that packages have reason to put files into.
const STANDARD: [&str; 50] = [
    "/",
    "/bin",
    "/boot",
    "/etc",
    "/etc/cron.d",
    "/etc/default",
    "/etc/logrotate.d",
    "/etc/opt",
    "/etc/pam.d",
    "/etc/profile.d",
    "/etc/skel",
    "/etc/sysconfig",
    "/etc/systemd",
    "/etc/systemd/system",
    "/home",
    "/lib",
    "/lib64",
    "/opt",
    "/root",
    "/run",
    "/sbin",
    "/srv",
    "/tmp",
    "/usr",
    "/usr/bin",
    "/usr/include",
    "/usr/lib",
    "/usr/lib/systemd",
    "/usr/lib/systemd/system",
    "/usr/lib/systemd/system-preset",
    "/usr/lib/sysusers.d",
    "/usr/lib/tmpfiles.d",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/local",
    "/usr/sbin",
    "/usr/share",
    "/usr/share/doc",
    "/usr/share/licenses",
    "/usr/share/man",
    "/usr/share/man/man1",
    "/usr/share/man/man8",
    "/usr/src",
    "/var",
    "/var/cache",
    "/var/lib",
    "/var/log",
    "/var/spool",
    "/var/tmp",
    "/usr/share/locale",
];

fn owned(subject: &Subject) -> Vec<Hit> {
    // The packages whose directories these are.
    const OWNERS: [&str; 7] = ["filesystem", "systemd", "setup", "man-db", "man-pages", "crontabs", "logrotate"];
    if OWNERS.contains(&subject.name.as_str()) {
        return Vec::new();
    }
    let directories = subject.items().filter(|item| item.kind == FileKind::Directory);
    let standard = directories.filter(|item| STANDARD.contains(&item.path.as_str()));
    standard.map(|item| Hit::at(&item.path, "it belongs to the distribution")).collect()
}

fn build_ids(subject: &Subject) -> Vec<Hit> {
    let links = subject.links().filter(|(item, _)| item.path.starts_with("/usr/lib/.build-id/"));
    let vendored = links.filter(|(item, _)| {
        let target = subject.target(&item.path);
        target.is_some_and(|target| {
            target.vendored
                && !target.path.starts_with("/usr/lib/python3")
                && !target.path.starts_with("/usr/lib64/python3")
        })
    });
    vendored.map(|(item, link)| Hit::at(&item.path, format!("it leads to `{link}`"))).collect()
}

fn special(subject: &Subject) -> Vec<Hit> {
    let found = subject.items().filter(|item| item.kind == FileKind::Special && !item.ghost);
    found.map(|item| Hit::at(&item.path, "it is no file, directory or link")).collect()
}

fn collisions(subject: &Subject) -> Vec<Hit> {
    let mut seen: HashMap<String, &str> = HashMap::new();
    let mut hits = Vec::new();
    for item in subject.items() {
        if let Some(other) = seen.insert(item.path.to_lowercase(), &item.path)
            && other != item.path
        {
            hits.push(Hit::at(&item.path, format!("`{other}` is there, too")));
        }
    }
    hits
}

/// A build may begin a day before its entry in the changelog, by the time zones.
const DAY: i64 = 86_400;

fn future(subject: &Subject) -> Vec<Hit> {
    let Some(built) = subject.time else { return Vec::new() };
    let late = |item: &&Item| item.time.is_some_and(|time| time > built.saturating_add(DAY)) && !item.ghost;
    subject.items().filter(late).map(|item| Hit::at(&item.path, "its time is after the package's")).collect()
}

fn ancient(subject: &Subject) -> Vec<Hit> {
    // 1984-01-01, the year in which GNU began, is lintian's limit.
    const LIMIT: i64 = 441_763_200;
    let old = |item: &&Item| item.time.is_some_and(|time| time < LIMIT) && item.kind == FileKind::File && !item.ghost;
    subject.items().filter(old).map(|item| Hit::at(&item.path, "its time is lost")).collect()
}
