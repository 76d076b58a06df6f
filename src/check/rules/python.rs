//! Python trees: interpreter, extension modules, byte-code, RECORD (PEP 376, 427, 610, 3147, 3149), what installers leave.

use std::collections::{BTreeSet, HashSet};

use crate::check::subject::{Item, Place, file_name, in_python_tree, parent, python_tree};
use crate::check::{Formats, Hit, Rule, Severity, Subject};
use crate::format::FileKind;

pub(in crate::check) static RULES: &[Rule] = &[
    Rule {
        code: "python-not-required",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "a private tree uses an interpreter that no dependency brings",
        explanation: "`bin/python` of the tree is a link to `/usr/bin/python3.11`, and the package depends on another minor version or on \
                      none: after an upgrade of the distribution the service does not start.",
        remedy: "Depend on the interpreter of exactly this minor version; packhouse does.",
        source: "policy of Python in Debian, 3.1; rpm's python(abi)",
        find: interpreter,
    },
    Rule {
        code: "extension-for-other-python",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "an extension module is for another Python or processor than its tree",
        explanation: "The interpreter takes only files whose name has its own tag (`cpython-311-x86_64-linux-gnu`). With others the import \
                      fails: the wheel of another version was vendored.",
        remedy: "Lock and vendor again for this target.",
        source: "PEP 3149",
        find: extensions,
    },
    Rule {
        code: "bytecode-of-other-python",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "byte-code is of another Python than its tree",
        explanation: "An interpreter reads only the byte-code of its own minor version. The files are dead weight, and the right ones are \
                      missing: every start compiles all modules again.",
        remedy: "Build with the target's interpreter, or let the package compile on installation.",
        source: "PEP 3147",
        find: other_bytecode,
    },
    Rule {
        code: "bytecode-without-source",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "byte-code in __pycache__ has no source",
        explanation: "Python does not import byte-code from `__pycache__` without its source. The file is left over from a module that \
                      was removed or renamed.",
        remedy: "Remove it; packhouse compiles what is there.",
        source: "PEP 3147",
        find: orphans,
    },
    Rule {
        code: "installer-leftover",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "an installer's own file lies in the tree",
        explanation: "`direct_url.json` and `uv_cache.json` tell paths and times of the build machine, `activate` scripts its directories; \
                      `.lock` is writable by everybody, `CACHEDIR.TAG` makes backups skip the tree. None is for a package.",
        remedy: "Build it with packhouse, which leaves them out, or delete them after `pip install` or `uv pip install`.",
        source: "PEP 610; PEP 376; uv's and virtualenv's documentation",
        find: leftovers,
    },
    Rule {
        code: "record-mismatch",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "RECORD lists files that the package does not hold",
        explanation: "`RECORD` is the list of a distribution's files. `importlib.metadata`, scanners and `pip check` read it; when files of \
                      it are missing, something was removed that the distribution may need.",
        remedy: "Install the distribution whole, or rewrite its RECORD.",
        source: "PEP 376, PEP 427",
        find: records,
    },
];

/// Links of private trees that lead to an interpreter of the system.
fn interpreter(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (item, _) in subject.links() {
        let in_tree = parent(&item.path)
            .is_some_and(|directory| directory.ends_with("/bin") && directory.matches('/').count() >= 4);
        if !in_tree || !item.name().starts_with("python") {
            continue;
        }
        let Place::Outside(end) = subject.resolve(&item.path) else { continue };
        let system = matches!(parent(&end), Some("/usr/bin" | "/bin")) && file_name(&end).starts_with("python3");
        if system && !super::scripts::is_brought(subject, &end) {
            hits.push(Hit::at(&item.path, format!("it leads to `{end}`, which no dependency brings")));
        }
    }
    hits
}

/// The tag in an extension's name: minor version and machine of `x.cpython-311-x86_64-linux-gnu.so`.
fn tag(name: &str) -> Option<(u8, &str)> {
    let (_, rest) = name.split_once(".cpython-3")?;
    let (minor, rest) = rest.split_once('-')?;
    let (machine, rest) = rest.split_once('-')?;
    rest.starts_with("linux")
        .then_some((minor.trim_end_matches(|last: char| last.is_ascii_alphabetic()).parse().ok()?, machine))
}

fn extensions(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    for item in subject.files().filter(|item| item.path.ends_with(".so")) {
        let (Some(minor), Some((own, machine))) = (python_tree(&item.path), tag(item.name())) else { continue };
        if own != minor {
            hits.push(Hit::at(&item.path, format!("it is for Python 3.{own}, the tree for 3.{minor}")));
        } else if let Some(target) = subject.machine()
            && machine != target.machine()
        {
            hits.push(Hit::at(&item.path, format!("it is for {machine}, the package for {}", target.machine())));
        }
    }
    hits
}

/// Byte-code of a `__pycache__` directory: the directory above, module, minor version.
fn bytecode(item: &Item) -> Option<(&str, &str, u8)> {
    let stem = item.name().strip_suffix(".pyc")?;
    let directory = parent(&item.path)?.strip_suffix("/__pycache__")?;
    let (module, tag) = stem.split_once(".cpython-3")?;
    let minor = tag.split(['.', '-']).next()?.parse().ok()?;
    Some((directory, module, minor))
}

fn other_bytecode(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    for item in subject.files() {
        let (Some(minor), Some((_, _, own))) = (python_tree(&item.path), bytecode(item)) else { continue };
        if own != minor {
            hits.push(Hit::at(&item.path, format!("it is of Python 3.{own}, the tree of 3.{minor}")));
        }
    }
    hits
}

fn orphans(subject: &Subject) -> Vec<Hit> {
    let files = subject
        .files()
        .filter_map(|item| bytecode(item).map(|(directory, module, _)| (item, format!("{directory}/{module}.py"))));
    let orphans = files.filter(|(_, source)| !subject.has(source));
    orphans.map(|(item, source)| Hit::at(&item.path, format!("there is no `{source}`"))).collect()
}

/// Whether an installer has written this directory of metadata. What lies deeper came inside a distribution, as the copies
/// that setuptools carries in `setuptools/_vendor`: it is that distribution's, which lists it in its own RECORD.
fn is_installed(directory: &str) -> bool {
    let below = ["/site-packages/", "/dist-packages/"]
        .iter()
        .filter_map(|site| directory.rsplit_once(site))
        .map(|(_, below)| below.len())
        .min();
    let name = below.and_then(|length| directory.get(directory.len() - length..)).unwrap_or(file_name(directory));
    name.ends_with(".dist-info") && !name.contains('/')
}

fn leftovers(subject: &Subject) -> Vec<Hit> {
    // The roots of virtual environments.
    let roots: BTreeSet<&str> =
        subject.files().filter(|item| item.name() == "pyvenv.cfg").filter_map(|item| parent(&item.path)).collect();
    let mut hits = Vec::new();
    for item in subject.items().filter(|item| item.kind != FileKind::Directory) {
        let directory = parent(&item.path).unwrap_or_default();
        let name = item.name();
        let metadata = is_installed(directory)
            && matches!(name, "direct_url.json" | "uv_cache.json" | "REQUESTED" | "uv_build.json");
        let root = roots.contains(directory) && matches!(name, ".lock" | "CACHEDIR.TAG" | ".gitignore");
        let activate = directory.strip_suffix("/bin").is_some_and(|root| roots.contains(root))
            && (name == "activate"
                || name.starts_with("activate.")
                || name == "activate_this.py"
                || name == "Activate.ps1"
                || matches!(name, "deactivate.bat" | "pydoc.bat"));
        if metadata || root || activate {
            hits.push(Hit::at(&item.path, "it is for the installer, not for the package"));
        }
    }
    hits
}

fn records(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    for item in subject.files().filter(|item| item.name() == "RECORD") {
        let Some(directory) = parent(&item.path).filter(|directory| is_installed(directory)) else { continue };
        let (Some(site), Some(text)) = (parent(directory), &item.content.text) else { continue };
        if !in_python_tree(&item.path) {
            continue;
        }
        let text = String::from_utf8_lossy(text);
        let mut missing = HashSet::new();
        for line in text.lines() {
            let file = first_column(line);
            // Byte-code may be made on installation, and is listed without a digest then.
            // Distributions put commands of the system's Python where they like.
            let elsewhere = file.starts_with("..")
                && (site.starts_with("/usr/lib/python3") || site.starts_with("/usr/lib64/python3"));
            if file.is_empty() || file.ends_with(".pyc") || elsewhere {
                continue;
            }
            let path = if file.starts_with('/') { file.clone() } else { format!("{site}/{file}") };
            if !matches!(subject.resolve(&path), Place::Inside(_)) {
                missing.insert(file);
            }
        }
        let count = missing.len();
        if let Some(first) = missing.into_iter().min() {
            let more = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
            hits.push(Hit::at(&item.path, format!("it lists `{first}`{more}, which the package does not hold")));
        }
    }
    hits
}

/// The first column of a line of comma-separated values (RFC 4180).
fn first_column(line: &str) -> String {
    match line.strip_prefix('"') {
        None => line.split(',').next().unwrap_or_default().to_owned(),
        Some(rest) => {
            let mut column = String::new();
            let mut characters = rest.chars().peekable();
            while let Some(character) = characters.next() {
                if character == '"' && characters.next_if_eq(&'"').is_none() {
                    break;
                }
                column.push(character);
            }
            column
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_inside_another_distribution_is_that_ones() {
        assert!(is_installed("/usr/lib/acme/x/lib/python3.11/site-packages/a-1.dist-info"));
        assert!(is_installed("/usr/lib/python3/dist-packages/a-1.dist-info"));
        assert!(is_installed("/usr/lib/acme/x/a-1.dist-info"));
        assert!(!is_installed("/usr/lib/acme/x/lib/python3.11/site-packages/setuptools/_vendor/a-1.dist-info"));
        assert!(!is_installed("/usr/lib/acme/x/lib/python3.11/site-packages/a"));
    }

    #[test]
    fn tags_and_columns_are_read() {
        assert_eq!(tag("_x.cpython-311-x86_64-linux-gnu.so"), Some((11, "x86_64")));
        assert_eq!(tag("_x.cpython-313t-aarch64-linux-gnu.so"), Some((13, "aarch64")));
        assert_eq!(tag("_x.abi3.so"), None);
        assert_eq!(first_column("a/b.py,sha256=x,1"), "a/b.py");
        assert_eq!(first_column("\"a,\"\"b\"\".py\",,"), "a,\"b\".py");
    }
}
