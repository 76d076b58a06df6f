//! `cargo xtask libraries`: which package of a distribution holds a shared library, in which version each of its symbols
//! came, from the control files of the distribution's own packages.
//!
//! What is written is read by `packhouse::target::libraries`, which describes the form. It is kept small by leaving out
//! what follows from the rest: a symbol whose version is that of its symbol version's other symbols, or the library's own.

mod archive;
mod symbols;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use packhouse::package::version::compare_debian;

use self::archive::{ARCHIVES, Apt, Archive, Binary, Vendor};
use self::symbols::{Library, Minimum, parse_shlibs, parse_symbols};
use crate::Result;
use crate::process::{root, run, say};

/// Source packages whose libraries are taken.
const SOURCES: &str = include_str!("sources.txt");

/// Libraries by SONAME.
type Libraries = BTreeMap<String, Library>;

/// Writes the tables of the distributions that are named, or of all.
pub(crate) fn run_for(arguments: &[String]) -> Result<()> {
    let usage = "usage: cargo xtask libraries [--mirror debian=URL|ubuntu=URL] [--keyring debian=FILE|ubuntu=FILE] [DISTRIBUTION …]";
    let mut names = Vec::new();
    let mut mirrors: BTreeMap<String, String> = BTreeMap::new();
    let mut keyrings: BTreeMap<String, String> = BTreeMap::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let options = match argument.as_str() {
            "--mirror" => &mut mirrors,
            "--keyring" => &mut keyrings,
            name if ARCHIVES.iter().any(|archive| archive.distribution == name) => {
                names.push(name);
                continue;
            }
            _ => return Err(usage.into()),
        };
        let (vendor, value) = arguments.next().and_then(|value| value.split_once('=')).ok_or(usage)?;
        options.insert(vendor.to_owned(), value.to_owned());
    }
    let places = Places { mirrors, keyrings };
    for archive in ARCHIVES.iter().filter(|archive| names.is_empty() || names.contains(&archive.distribution)) {
        let text = table(archive, &places)?;
        let path = root().join("src/target/libraries").join(format!("{}.txt", archive.distribution));
        fs_err::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
        fs_err::write(&path, &text)?;
        say("Wrote", &format!("{} ({} kB)", path.display(), text.len() / 1024));
    }
    Ok(())
}

/// Mirrors and keyrings, by vendor, where they are not the usual ones.
struct Places {
    mirrors: BTreeMap<String, String>,
    keyrings: BTreeMap<String, String>,
}

impl Places {
    /// The libraries of one architecture of an archive.
    fn fetch(&self, archive: &Archive, architecture: &str) -> Result<Libraries> {
        let vendor = archive.vendor;
        let mirror = self.mirrors.get(vendor.name()).map_or(vendor.mirror(), String::as_str);
        let keyring = match self.keyrings.get(vendor.name()) {
            Some(path) => std::path::absolute(path)?,
            None => PathBuf::from(format!("/usr/share/keyrings/{}-archive-keyring.gpg", vendor.name())),
        };
        if !keyring.exists() {
            let keyring = keyring.display();
            return Err(format!("{keyring} is not there: name another with --keyring {}=FILE", vendor.name()).into());
        }
        let apt = Apt::new(archive, architecture, mirror, &keyring)?;
        let packages = apt.packages()?;
        let chosen: Vec<&Binary> = packages.iter().filter(|binary| is_library_package(binary)).collect();
        libraries(&apt.download(&chosen, architecture)?, architecture)
    }
}

/// The table of one distribution.
fn table(archive: &Archive, places: &Places) -> Result<String> {
    let mut architectures = Vec::new();
    for architecture in archive.architectures {
        architectures.push((*architecture, places.fetch(archive, architecture)?));
    }
    let vendor = match archive.vendor {
        Vendor::Debian => "Debian",
        Vendor::Ubuntu => "Ubuntu",
    };
    let mut text = format!("# Shared libraries of {vendor}'s {}. Written by `cargo xtask libraries`.\n", archive.suite);
    let mut run_time = Libraries::new();
    if let (Some(like), [(_, amd64)]) = (archive.like, architectures.as_slice()) {
        let like = ARCHIVES.iter().find(|archive| archive.distribution == like).ok_or("no such archive")?;
        run_time = of_another(&places.fetch(like, "arm64")?, amd64);
        let _ = writeln!(
            text,
            "# From its packages for amd64; the run-time for arm64 is {}'s, up to the versions that amd64 has here.",
            like.distribution
        );
    }
    let mut sonames: BTreeSet<&String> = architectures.iter().flat_map(|(_, all)| all.keys()).collect();
    sonames.extend(run_time.keys());
    for soname in sonames {
        let mut blocks: Vec<(&str, String)> = architectures
            .iter()
            .filter_map(|(architecture, all)| Some((*architecture, block(all.get(soname)?))))
            .collect();
        blocks.extend(run_time.get(soname).map(|library| ("arm64", block(library))));
        let everywhere = blocks.len() >= architectures.len()
            && blocks.windows(2).all(|pair| match pair {
                [(_, left), (_, right)] => left == right,
                _ => true,
            });
        // The C library's loader has another name on each architecture.
        let of_one = blocks.len() == 1 && (archive.architectures.len() > 1 || run_time.contains_key(soname));
        match blocks.first() {
            Some((_, block)) if everywhere && !of_one => {
                let _ = write!(text, "{soname} {block}");
            }
            _ => {
                for (architecture, block) in &blocks {
                    let _ = write!(text, "{soname}:{architecture} {block}");
                }
            }
        }
    }
    Ok(text)
}

/// The packages of the run-time that every program needs, whose symbol versions differ by architecture.
const RUN_TIME: &[&str] = &["libatomic1", "libc6", "libcrypt1", "libgcc-s1", "libgomp1", "libstdc++6"];

/// The run-time of `other`, cut at the newest symbol versions of each kind that `own` has on its architecture.
fn of_another(other: &Libraries, own: &Libraries) -> Libraries {
    let mut newest: BTreeMap<(&str, &str), Vec<u64>> = BTreeMap::new();
    for library in own.values() {
        for (node, _) in library.symbols.keys() {
            let (kind, number) = kind(node);
            let last = newest.entry((package(library), kind)).or_default();
            *last = last.clone().max(number);
        }
    }
    let run_time = other.iter().filter(|(_, library)| RUN_TIME.contains(&package(library)));
    run_time
        .map(|(soname, library)| {
            let mut library = library.clone();
            let name = package(&library).to_owned();
            library.symbols.retain(|(node, _), minimum| {
                let (kind, number) = kind(node);
                minimum.template == 0 && newest.get(&(&name, kind)).is_some_and(|last| number <= *last)
            });
            library.templates.truncate(1);
            (soname.clone(), library)
        })
        .collect()
}

fn package(library: &Library) -> &str {
    library.templates.first().and_then(|template| template.split(' ').next()).unwrap_or_default()
}

/// `GLIBC_2.34` → `GLIBC_` and its numbers.
fn kind(node: &str) -> (&str, Vec<u64>) {
    let start = node.find(|character: char| character.is_ascii_digit()).unwrap_or(node.len());
    let (kind, number) = node.split_at_checked(start).unwrap_or((node, ""));
    (kind, number.split(['.', '_']).map(|part| part.parse().unwrap_or(0)).collect())
}

/// Not for programs: what developers need; and programs' own parts.
const OTHER_ENDS: &[&str] = &[
    "-bin",
    "-common",
    "-data",
    "-dbg",
    "-dbgsym",
    "-dev",
    "-doc",
    "-dri",
    "-fixtures",
    "-perl",
    "-plugins",
    "-prof",
    "-static",
    "-tests",
    "-udeb",
    "-utils",
];

/// Another architecture's libraries; the run-time of compilers for languages that packhouse does not package, and of
/// sanitizers; builds for clusters.
const OTHER_STARTS: &[&str] = &[
    "lib32",
    "lib64",
    "libx32",
    "libn32",
    "libc6-",
    "musl-",
    "libasan",
    "libcc1",
    "libgccjit",
    "libgm2",
    "libgnat",
    "libgo1",
    "libgo2",
    "libgphobos",
    "libhsail",
    "libhwasan",
    "liblsan",
    "libobjc",
    "libtsan",
    "libubsan",
    "libhdf5-mpich",
    "libhdf5-openmpi",
    "libopenblas64",
    "libsystemd-shared",
    "libmariadbd",
];

/// The most that a library's symbols without version may take in a table. Those of a few libraries, of C++ mostly, would fill
/// it; such a library is needed in the version of its newest symbol, which every machine of the release has.
const MOST_SYMBOLS: usize = 10 * 1024;

/// Whether a package holds libraries of the list's source packages for its own architecture's programs.
fn is_library_package(binary: &Binary) -> bool {
    let section = binary.section.rsplit('/').next().unwrap_or_default();
    let starts = |names: &[&str]| names.iter().any(|name| binary.package.starts_with(name));
    let ends = |names: &[&str]| names.iter().any(|name| binary.package.ends_with(name));
    binary.architecture != "all"
        && matches!(section, "libs" | "oldlibs" | "x11" | "python" | "database")
        && (binary.package.starts_with("lib") || matches!(binary.package.as_str(), "zlib1g" | "musl"))
        && !starts(OTHER_STARTS)
        && !ends(OTHER_ENDS)
        && sources().any(|source| is_source(source, &binary.source))
}

fn sources() -> impl Iterator<Item = &'static str> {
    SOURCES.lines().filter(|line| !line.is_empty() && !line.starts_with("# "))
}

/// Whether `source` is what `pattern` names: `gcc-#` is `gcc-12`.
fn is_source(pattern: &str, source: &str) -> bool {
    match pattern.strip_suffix('#') {
        None => pattern == source,
        Some(start) => source.strip_prefix(start).is_some_and(|version| {
            version.starts_with(|first: char| first.is_ascii_digit())
                && version.chars().all(|character| character.is_ascii_digit() || character == '.')
        }),
    }
}

/// What the control files of these packages say. A library that several hold belongs to the one that says most of it, else to
/// the first by name.
fn libraries(files: &[PathBuf], architecture: &str) -> Result<Libraries> {
    let mut all = Libraries::new();
    let control = root().join("target/libraries/control");
    for file in files {
        if control.exists() {
            fs_err::remove_dir_all(&control)?;
        }
        run(Command::new("dpkg-deb").arg("--control").arg(file).arg(&control))?;
        let read = |name: &str| match fs_err::read_to_string(control.join(name)) {
            Ok(text) => Ok(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
            Err(error) => Err(error),
        };
        let sums = read("md5sums")?;
        let is_file = |name: &str| sums.lines().any(|line| line.rsplit('/').next() == Some(name));
        let in_symbols = parse_symbols(&read("symbols")?, architecture)
            .map_err(|error| format!("{}: symbols: {error}", file.display()))?;
        let in_shlibs = parse_shlibs(&read("shlibs")?, is_file);
        for (soname, library) in in_symbols.into_iter().chain(in_shlibs) {
            match all.get(&soname) {
                Some(known) if !known.symbols.is_empty() || library.symbols.is_empty() => {}
                _ => {
                    all.insert(soname, library);
                }
            }
        }
    }
    Ok(all)
}

/// What the table says of one library, behind its SONAME.
fn block(library: &Library) -> String {
    let mut text = format!("{}\n", library.templates.first().map_or("", String::as_str));
    for template in library.templates.iter().skip(1) {
        let _ = writeln!(text, "| {template}");
    }
    let mut nodes: BTreeMap<&str, Vec<(&str, &Minimum)>> = BTreeMap::new();
    for ((node, name), minimum) in &library.symbols {
        nodes.entry(node).or_default().push((name, minimum));
    }
    for node in library.nodes.keys() {
        nodes.entry(node).or_default();
    }
    // Symbols without version say nothing of where they are from: only those that raise something are listed.
    let smallest = library.smallest.clone().map(|version| Minimum { version, template: 0 });
    let mut unversioned = String::new();
    exceptions(&mut unversioned, "Base", &nodes.remove("Base").unwrap_or_default(), smallest.as_ref());
    let newest = || {
        let versions = library.symbols.values().filter(|minimum| minimum.template == 0).map(|minimum| &minimum.version);
        versions.max_by(|left, right| compare_debian(left, right))
    };
    let small = unversioned.len() <= MOST_SYMBOLS;
    if let Some(least) = if small { library.smallest.as_ref() } else { newest() } {
        let _ = writeln!(text, "* {least}");
    }
    if small {
        text.push_str(&unversioned);
    }
    for (node, symbols) in nodes {
        let usual = library.nodes.get(node).or_else(|| usual(node, &symbols));
        if let Some(usual) = usual {
            let _ = writeln!(text, " {}", group(node, usual));
        }
        exceptions(&mut text, node, &symbols, usual);
    }
    text
}

fn order(left: &Minimum, right: &Minimum) -> Ordering {
    left.template.cmp(&right.template).then_with(|| compare_debian(&left.version, &right.version))
}

/// What most symbols of a version need; of equals the lesser.
fn usual<'a>(node: &str, symbols: &[(&str, &'a Minimum)]) -> Option<&'a Minimum> {
    let mut counts: Vec<(&Minimum, usize)> = Vec::new();
    for (name, minimum) in symbols {
        // A symbol of the version's own name is its definition.
        let weight = usize::from(*name != node);
        match counts.iter_mut().find(|(known, _)| known == minimum) {
            Some((_, count)) => *count += weight,
            None => counts.push((minimum, weight)),
        }
    }
    counts.sort_by(|(left, _), (right, _)| order(left, right));
    let most = counts.iter().map(|(_, count)| *count).max()?;
    counts.into_iter().find(|(_, count)| *count == most).map(|(minimum, _)| minimum)
}

/// Lists the symbols of a version that need another version of the library than `usual`, by that version.
fn exceptions(text: &mut String, node: &str, symbols: &[(&str, &Minimum)], usual: Option<&Minimum>) {
    let mut groups: Vec<(&Minimum, Vec<&str>)> = Vec::new();
    for (name, minimum) in symbols {
        // The symbol of the version's own name stands for its definition; nothing refers to it.
        if Some(*minimum) == usual || *name == node {
            continue;
        }
        match groups.iter_mut().find(|(known, _)| known == minimum) {
            Some((_, names)) => names.push(name),
            None => groups.push((minimum, vec![name])),
        }
    }
    groups.sort_by(|(left, _), (right, _)| order(left, right));
    for (minimum, names) in groups {
        let _ = writeln!(text, " {}", group(node, minimum));
        for name in names {
            let _ = writeln!(text, "  {name}");
        }
    }
}

fn group(node: &str, minimum: &Minimum) -> String {
    match minimum.template {
        0 => format!("{node} {}", minimum.version),
        template => format!("{node} {} {template}", minimum.version),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_s_block_leaves_out_what_follows_from_the_rest() {
        let text = "libfoo.so.1 libfoo1 #MINVER#\n| libfoo1 (>> 3)\n FOO_1@FOO_1 1.0\n a@FOO_1 1.0\n b@FOO_1 1.5\n c@Base 1.0\n d@Base 2.0\n e@FOO_PRIVATE 3.0 1\n";
        let all = parse_symbols(text, "amd64").expect("symbols");
        let expected = "libfoo1 #MINVER#\n| libfoo1 (>> 3)\n* 1.0\n Base 2.0\n  d\n FOO_1 1.0\n FOO_1 1.5\n  b\n FOO_PRIVATE 3.0 1\n";
        assert_eq!(block(&all["libfoo.so.1"]), expected);
    }

    #[test]
    fn what_stands_for_an_architecture_that_is_not_there_ends_where_the_other_one_does() {
        let own = parse_symbols("libc.so.6 libc6 #MINVER#\n a@GLIBC_2.2.5 2.2.5\n b@GLIBC_2.35 2.35\n", "amd64")
            .expect("symbols");
        let other = "ld-linux-aarch64.so.1 libc6 #MINVER#\n| libc6 (>> 2.36)\n a@GLIBC_2.17 2.17\n b@GLIBC_2.36 2.36\n c@GLIBC_PRIVATE 2.36 1\nlibz.so.1 zlib1g #MINVER#\n";
        let run_time = of_another(&parse_symbols(other, "arm64").expect("symbols"), &own);
        assert_eq!(run_time.keys().collect::<Vec<_>>(), ["ld-linux-aarch64.so.1"]);
        assert_eq!(block(&run_time["ld-linux-aarch64.so.1"]), "libc6 #MINVER#\n* 2.17\n GLIBC_2.17 2.17\n");
    }

    #[test]
    fn sources_are_named_with_or_without_their_version() {
        assert!(is_source("gcc-#", "gcc-12") && is_source("postgresql-#", "postgresql-15"));
        assert!(!is_source("gcc-#", "gcc-12-cross") && !is_source("gcc-#", "gcc-defaults"));
        assert!(is_source("zlib", "zlib") && !is_source("zlib", "zlib-ng"));
    }
}
