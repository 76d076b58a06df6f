//! Symbolic and hard links (Policy 10.5, 10.7; FHS 4.4).

use crate::check::subject::{Item, Place, is_command, parent};
use crate::check::{Formats, Hit, Rule, Severity, Subject};
use crate::format::FileKind;

pub(in crate::check) static RULES: &[Rule] = &[
    Rule {
        code: "command-link-dangling",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "a command is a link to nothing",
        explanation: "The link in the path leads to a file that the package should hold and does not: the shell says \
                      “command not found” although the command is there.",
        remedy: "Correct `commands` under `[services.NAME]`, or see why the program was not staged.",
        source: "packhouse; lintian package-contains-broken-symlink; rpmlint dangling-relative-symlink",
        find: dangling_command,
    },
    Rule {
        code: "dangling-link",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "a link leads to a file that the package should hold and does not",
        explanation: "The target lies in the package's own tree, where no other package will put it.",
        remedy: "Install the target, or leave the link out.",
        source: "packhouse; rpmlint dangling-symlink",
        find: dangling,
    },
    Rule {
        code: "link-leaves-root",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "a link climbs above the root directory, or leads to itself",
        explanation: "It has more `..` than directories above it, or leads in a circle. The kernel stops at the root, programs that \
                      unpack images do not.",
        remedy: "Correct the link's target.",
        source: "path_resolution(7); lintian symlink-has-too-many-up-segments",
        find: leaving,
    },
    Rule {
        code: "absolute-link",
        severity: Severity::Warning,
        formats: Formats::Both,
        title: "a link within one top-level directory is absolute",
        explanation: "Links from `/usr` into `/usr` must be relative: absolute ones break in chroots and images, where the tree is \
                      looked at from outside.",
        remedy: "Make the target relative.",
        source: "Policy 10.5; lintian absolute-symlink-in-top-level-folder; rpmlint symlink-should-be-relative",
        find: absolute,
    },
    Rule {
        code: "library-directory-link",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "`lib64` of a virtual environment is a link",
        explanation: "`python -m venv` makes `lib64` a link to `lib`. dpkg never replaces a directory by a link or a link by a \
                      directory, so that the next version which has one of the other kind cannot be unpacked.",
        remedy: "Leave the link out: nothing looks there.",
        source: "Policy 6.6, 10.5",
        find: library_directory,
    },
    Rule {
        code: "hard-link-of-configuration",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "a configuration file has a second name",
        explanation: "dpkg and rpm replace a configuration file by a new file. Its other name keeps the old content.",
        remedy: "Use a symbolic link.",
        source: "Policy 10.7.3; lintian package-contains-hardlink",
        find: hard_links,
    },
];

/// Where a link leads that the package could resolve and does not.
fn missing(subject: &Subject, item: &Item) -> Option<String> {
    match subject.resolve(&item.path) {
        Place::Outside(path) => Some(path),
        Place::Inside(_) | Place::Nowhere | Place::Circle => None,
    }
}

/// Directories where any package may have put the program that a command's link leads to.
fn is_shared(path: &str) -> bool {
    const SHARED: [&str; 4] = ["/etc/alternatives", "/usr/lib/jvm", "/usr/share/java", "/run"];
    is_command(path) || SHARED.iter().any(|shared| path.starts_with(shared))
}

/// Whether a dependency could bring the file: one of its name's parts is a part of the path.
fn may_be_brought(subject: &Subject, path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').skip(3).filter(|part| !part.is_empty()).collect();
    subject.required_names().any(|name| {
        let stem = name.split(['-', '.', '(']).next().unwrap_or(name);
        stem.len() >= 2 && stem != "lib" && parts.iter().any(|part| *part == name || part.starts_with(stem))
    })
}

fn dangling_command(subject: &Subject) -> Vec<Hit> {
    let commands = subject.links().filter(|(item, _)| is_command(&item.path) && !item.ghost);
    let broken = commands.filter_map(|(item, link)| Some((item, link, missing(subject, item)?)));
    broken
        .filter(|(_, _, path)| subject.is_own(path) || (!is_shared(path) && !may_be_brought(subject, path)))
        .map(|(item, link, _)| Hit::at(&item.path, format!("`{link}` is not in the package")))
        .collect()
}

fn dangling(subject: &Subject) -> Vec<Hit> {
    let links = subject.links().filter(|(item, _)| !is_command(&item.path) && !item.ghost);
    let broken = links.filter_map(|(item, link)| Some((item, link, missing(subject, item)?)));
    broken
        .filter(|(_, _, path)| subject.is_own(path) && !may_be_brought(subject, path))
        .map(|(item, link, _)| Hit::at(&item.path, format!("`{link}` is not in the package")))
        .collect()
}

fn leaving(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (item, link) in subject.links() {
        match subject.resolve(&item.path) {
            Place::Nowhere => hits.push(Hit::at(&item.path, format!("`{link}` climbs above the root"))),
            Place::Circle => hits.push(Hit::at(&item.path, format!("`{link}` leads in a circle"))),
            Place::Inside(_) | Place::Outside(_) => {}
        }
    }
    hits
}

fn absolute(subject: &Subject) -> Vec<Hit> {
    let top = |path: &str| path.split('/').nth(1).unwrap_or_default().to_owned();
    let found = subject.links().filter(|(item, link)| {
        // `/dev/null` masks a unit.
        link.starts_with('/') && !link.starts_with("/dev/") && top(&item.path) == top(link)
    });
    found.map(|(item, link)| Hit::at(&item.path, format!("`{link}` is absolute"))).collect()
}

fn library_directory(subject: &Subject) -> Vec<Hit> {
    let found = subject.links().filter(|(item, link)| {
        item.name() == "lib64"
            && link.trim_end_matches('/') == "lib"
            && parent(&item.path).is_some_and(|directory| subject.has(&format!("{directory}/pyvenv.cfg")))
    });
    found.map(|(item, _)| Hit::at(&item.path, "it is a link to `lib`")).collect()
}

fn hard_links(subject: &Subject) -> Vec<Hit> {
    let links = subject.items().filter(|item| item.kind == FileKind::Hardlink);
    let found = links.filter_map(|item| {
        let file = subject.get(item.link.as_deref()?)?;
        (item.config || file.config).then(|| Hit::at(&item.path, format!("it is another name of `{}`", file.path)))
    });
    found.collect()
}
