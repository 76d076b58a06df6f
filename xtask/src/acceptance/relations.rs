//! packhouse's dependencies on libraries against those that the distributions' own tools find: dpkg-shlibdeps in a root of
//! each Debian release, and rpm's elfdeps without what the tree itself holds.
//!
//! Judged are well-known wheels with compiled parts and Rust programs (`tests/acceptance/wheels.txt`, by hash), the sample's
//! packages and packhouse itself. A weaker dependency fails, and so does any difference that [`EXPLAINED`] does not explain.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use packhouse::name::PackageName;
use packhouse::package::library_relations;
use packhouse::package::version::compare_debian;
use packhouse::target::{Architecture, Target, distribution};
use packhouse::tree::elf::{self, ElfFacts};
use packhouse::tree::{Content, Entry, InstallPath, Node, Tree};

use super::Bench;
use crate::Result;
use crate::process::{output, root, run, say, shell, text};

/// Releases of Debian whose dpkg-shlibdeps judges.
const DEBIAN: &[(&str, &str)] = &[("debian-12", "bookworm"), ("debian-13", "trixie")];

/// The target whose requirements elfdeps judges; they are the same in all.
const RPM: &str = "el10";

/// Where packhouse means to differ from its judges.
const EXPLAINED: &[Explanation] = &[];

/// Why a dependency may differ.
struct Explanation {
    /// The package or library.
    on: &'static str,
    reason: &'static str,
}

/// Something with ELF files in it.
struct Subject {
    name: String,
    /// Holds `debian/x`, which is laid out as it is installed.
    directory: PathBuf,
    /// The only target that it is for.
    only: Option<&'static str>,
    files: Vec<ElfFile>,
}

struct ElfFile {
    /// Relative to `debian/x`.
    path: String,
    facts: std::sync::Arc<ElfFacts>,
}

/// Compares, and prints each difference.
pub(super) fn judge(bench: &Bench) -> Result<()> {
    let directory = bench.directory.join("relations");
    let subjects = subjects(bench, &directory)?;
    let files: usize = subjects.iter().map(|subject| subject.files.len()).sum();
    say("Comparing", &format!("the relations of {} trees with {files} ELF files", subjects.len()));
    let mut differences = Vec::new();
    for (target, suite) in DEBIAN {
        let judged: Vec<&Subject> = subjects.iter().filter(|subject| subject.is_for(target)).collect();
        let theirs = shlibdeps(bench, &directory, suite, &judged)?;
        for subject in judged {
            let ours = subject.relations(target)?;
            let theirs = theirs.get(&subject.name).ok_or("a tree was not judged")?;
            say("Needs", &format!("{target:<10} {:<22} {}", subject.name, ours.join(", ")));
            differences.extend(compare_debian_relations(target, &subject.name, &ours, theirs));
        }
    }
    // What is made for one Debian release is made of the same files for others.
    for subject in subjects.iter().filter(|subject| subject.only.is_none_or(|only| only == "debian-12")) {
        let ours: BTreeSet<String> = subject.relations(RPM)?.into_iter().collect();
        let theirs = subject.elfdeps()?;
        say("Needs", &format!("{:<10} {:<22} {} of elfdeps", "rpm", subject.name, ours.len()));
        differences.extend(compare_rpm_relations(&subject.name, &ours, &theirs));
    }
    let mut bad = 0;
    for difference in &differences {
        let explanation = EXPLAINED.iter().find(|known| known.on == difference.on && !difference.weaker);
        bad += usize::from(explanation.is_none());
        let reason = match explanation {
            Some(known) => known.reason,
            None if difference.weaker => "WEAKER",
            None => "NOT EXPLAINED",
        };
        let Difference { target, subject, ours, theirs, .. } = difference;
        say("", &format!("{target:<10} {subject:<18} ours: {ours:<34} theirs: {theirs:<34} {reason}"));
    }
    if bad > 0 {
        return Err(format!("{bad} relations differ without a good reason").into());
    }
    say("Compared", &format!("{} differences, each explained", differences.len()));
    Ok(())
}

/// One relation that differs.
struct Difference {
    target: String,
    subject: String,
    /// The package or the library.
    on: String,
    ours: String,
    theirs: String,
    weaker: bool,
}

/// `libc6 (>= 2.34)` as name and version; others by their whole text.
fn parsed(relations: &[String]) -> BTreeMap<String, String> {
    let pairs = relations.iter().map(|relation| {
        let plain = relation.split_once(" (>= ").and_then(|(name, rest)| Some((name, rest.strip_suffix(')')?)));
        plain.map_or_else(|| (relation.clone(), String::new()), |(name, version)| (name.to_owned(), version.to_owned()))
    });
    let mut versions: BTreeMap<String, String> = BTreeMap::new();
    for (name, version) in pairs {
        let known = versions.entry(name).or_default();
        if compare_debian(&version, known) == Ordering::Greater {
            *known = version;
        }
    }
    versions
}

fn compare_debian_relations(target: &str, subject: &str, ours: &[String], theirs: &[String]) -> Vec<Difference> {
    let (ours, theirs) = (parsed(ours), parsed(theirs));
    let names: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    let mut differences = Vec::new();
    for name in names {
        let (our, their) = (ours.get(name), theirs.get(name));
        if our == their {
            continue;
        }
        let weaker = match (our, their) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(our), Some(their)) => compare_debian(our, their) == Ordering::Less,
        };
        let shown = |version: Option<&String>| match version {
            None => "-".to_owned(),
            Some(version) if version.is_empty() => name.clone(),
            Some(version) => format!("{name} (>= {version})"),
        };
        differences.push(Difference {
            target: target.to_owned(),
            subject: subject.to_owned(),
            on: name.clone(),
            ours: shown(our),
            theirs: shown(their),
            weaker,
        });
    }
    differences
}

fn compare_rpm_relations(subject: &str, ours: &BTreeSet<String>, theirs: &BTreeSet<String>) -> Vec<Difference> {
    let different = ours.symmetric_difference(theirs).map(|relation| {
        let has = |side: &BTreeSet<String>| if side.contains(relation) { relation.clone() } else { "-".to_owned() };
        Difference {
            target: "rpm".to_owned(),
            subject: subject.to_owned(),
            on: relation.split('(').next().unwrap_or_default().to_owned(),
            ours: has(ours),
            theirs: has(theirs),
            weaker: !ours.contains(relation),
        }
    });
    different.collect()
}

impl Subject {
    fn is_for(&self, target: &str) -> bool {
        self.only.is_none_or(|only| only == target)
    }

    fn tree(&self) -> PathBuf {
        self.directory.join("debian/x")
    }

    /// What packhouse would declare.
    fn relations(&self, target: &str) -> Result<Vec<String>> {
        let target = Target {
            distribution: distribution(target).ok_or("no such distribution")?,
            architecture: Architecture::X86_64,
        };
        let mut tree = Tree::new();
        for (path, absolute) in walk(&self.tree())? {
            let install = InstallPath::parse(&format!("/{path}"))?;
            let metadata = fs_err::symlink_metadata(&absolute)?;
            if metadata.is_symlink() {
                tree.symlink(install, fs_err::read_link(&absolute)?.to_string_lossy())?;
            } else {
                tree.insert(install, Entry::root(Node::File(Content::file(&absolute)?), 0o755).vendored())?;
            }
        }
        let package = PackageName::parse(&self.name)?;
        library_relations(&package, &tree, &target).map_err(|error| format!("{}: {error}", self.name).into())
    }

    /// What elfdeps says, without the libraries that are in the tree.
    fn elfdeps(&self) -> Result<BTreeSet<String>> {
        let mut inside: BTreeSet<&str> = self.files.iter().filter_map(|file| file.facts.soname.as_deref()).collect();
        inside.extend(self.files.iter().filter_map(|file| file.path.rsplit('/').next()));
        let mut command = Command::new("/usr/lib/rpm/elfdeps");
        command.arg("--requires").current_dir(self.tree()).args(self.files.iter().map(|file| &file.path));
        let all = run(&mut command)?;
        let outside = all.lines().filter(|line| !inside.contains(line.split('(').next().unwrap_or_default()));
        Ok(outside.filter(|line| !line.is_empty()).map(str::to_owned).collect())
    }
}

/// Everything below `directory` that is no directory: relative and absolute path.
fn walk(directory: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    let mut pending = vec![directory.to_path_buf()];
    while let Some(next) = pending.pop() {
        for entry in fs_err::read_dir(&next)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                pending.push(entry.path());
            } else {
                let relative = entry.path().strip_prefix(directory)?.to_string_lossy().into_owned();
                found.push((relative, entry.path()));
            }
        }
    }
    found.retain(|(relative, _)| !relative.starts_with("DEBIAN/"));
    found.sort();
    Ok(found)
}

/// All that is compared, unpacked anew.
fn subjects(bench: &Bench, directory: &Path) -> Result<Vec<Subject>> {
    let trees = directory.join("trees");
    if trees.exists() {
        fs_err::remove_dir_all(&trees)?;
    }
    let mut subjects = Vec::new();
    for wheel in wheels(directory)? {
        let file_name = wheel.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = file_name.split('-').next().unwrap_or_default().to_lowercase().replace('_', "-");
        let tree = new_tree(&trees, &name)?;
        let place = tree.join("usr/lib/acme").join(&name);
        fs_err::create_dir_all(&place)?;
        run(Command::new("unzip").arg("-q").arg(&wheel).arg("-d").arg(&place))?;
        subjects.push(Subject { directory: trees.join(&name), name, only: None, files: Vec::new() });
    }
    let tree = new_tree(&trees, "packhouse")?;
    fs_err::create_dir_all(tree.join("usr/bin"))?;
    fs_err::copy(&bench.packhouse, tree.join("usr/bin/packhouse"))?;
    let directory = trees.join("packhouse");
    subjects.push(Subject { directory, name: "packhouse".to_owned(), only: None, files: Vec::new() });
    for (target, revision) in [("debian-12", "~deb12u1_amd64.deb"), ("debian-13", "~deb13u1_amd64.deb")] {
        for (path, absolute) in walk(&bench.artefacts)?.into_iter().filter(|(path, _)| path.ends_with(revision)) {
            let service = path.split('_').next().unwrap_or_default();
            let name = format!("{service}-{target}");
            let tree = new_tree(&trees, &name)?;
            run(Command::new("dpkg-deb").arg("-x").arg(&absolute).arg(&tree))?;
            subjects.push(Subject { directory: trees.join(&name), name, only: Some(target), files: Vec::new() });
        }
    }
    for subject in &mut subjects {
        subject.files = elf_files(&subject.tree())?;
        write_lists(subject)?;
    }
    Ok(subjects)
}

fn new_tree(trees: &Path, name: &str) -> Result<PathBuf> {
    let debian = trees.join(name).join("debian");
    // dpkg-shlibdeps knows what is one package by its DEBIAN directory.
    fs_err::create_dir_all(debian.join("x/DEBIAN"))?;
    fs_err::write(debian.join("control"), "Source: x\n\nPackage: x\nArchitecture: any\n")?;
    Ok(debian.join("x"))
}

/// The wheels of the list, downloaded when they are not there.
fn wheels(directory: &Path) -> Result<Vec<PathBuf>> {
    let list = root().join("tests/acceptance/wheels.txt");
    let wanted = fs_err::read_to_string(&list)?.lines().filter(|line| line.contains("--hash")).count();
    let wheels = directory.join("wheels");
    let have = || -> Result<Vec<PathBuf>> {
        if !wheels.exists() {
            return Ok(Vec::new());
        }
        let all = walk(&wheels)?.into_iter().map(|(_, path)| path);
        Ok(all.filter(|path| path.extension().is_some_and(|extension| extension == "whl")).collect())
    };
    // The list is kept beside them: other wheels are fetched anew.
    let known = wheels.join("list.txt");
    let text = fs_err::read_to_string(&list)?;
    if fs_err::read_to_string(&known).ok().as_ref() != Some(&text) || have()?.len() != wanted {
        if wheels.exists() {
            fs_err::remove_dir_all(&wheels)?;
        }
        fs_err::create_dir_all(&wheels)?;
        say("Downloading", &format!("{wanted} wheels"));
        let mut command = Command::new("python3");
        command.args([
            "-m",
            "pip",
            "download",
            "--quiet",
            "--disable-pip-version-check",
            "--retries",
            "10",
            "--no-deps",
        ]);
        command.args([
            "--only-binary",
            ":all:",
            "--require-hashes",
            "--python-version",
            "3.11",
            "--implementation",
            "cp",
        ]);
        command.args(["--abi", "cp311", "--abi", "abi3", "--abi", "none"]);
        for tag in [
            "manylinux_2_28",
            "manylinux_2_27",
            "manylinux_2_26",
            "manylinux_2_24",
            "manylinux2014",
            "manylinux2010",
            "manylinux1",
        ] {
            command.args(["--platform", &format!("{tag}_x86_64")]);
        }
        run(command.arg("-r").arg(&list).arg("-d").arg(&wheels))?;
        fs_err::write(&known, text)?;
    }
    have()
}

fn elf_files(tree: &Path) -> Result<Vec<ElfFile>> {
    let mut files = Vec::new();
    for (path, absolute) in walk(tree)? {
        if fs_err::symlink_metadata(&absolute)?.is_symlink() {
            continue;
        }
        let Some(facts) = elf::read(&Content::file(&absolute)?)? else { continue };
        if facts.architecture == Some(Architecture::X86_64) && facts.is_program {
            // elfdeps asks nothing for a program that cannot be run, and unzip leaves modes as the wheel has them.
            run(Command::new("chmod").arg("0755").arg(&absolute))?;
            files.push(ElfFile { path, facts });
        }
    }
    Ok(files)
}

/// What the script in the root reads: the files to judge, and the directories with libraries of the tree's own.
fn write_lists(subject: &Subject) -> Result<()> {
    let dynamic = subject.files.iter().filter(|file| !file.facts.needed.is_empty());
    let files: Vec<String> = dynamic.map(|file| format!("debian/x/{}\n", file.path)).collect();
    let directories: BTreeSet<String> = subject
        .files
        .iter()
        .filter(|file| file.facts.is_shared && !file.facts.has_interpreter)
        .filter_map(|file| file.path.rsplit_once('/'))
        .map(|(directory, _)| format!("debian/x/{directory}\n"))
        .collect();
    fs_err::write(subject.directory.join("files"), files.concat())?;
    fs_err::write(subject.directory.join("directories"), directories.into_iter().collect::<String>())?;
    Ok(())
}

/// What dpkg-shlibdeps finds for each tree, in a root of the suite.
fn shlibdeps(
    bench: &Bench,
    directory: &Path,
    suite: &str,
    subjects: &[&Subject],
) -> Result<BTreeMap<String, Vec<String>>> {
    let base = judge_root(bench, suite)?;
    say("Running", &format!("{suite}'s dpkg-shlibdeps"));
    let names: Vec<String> = subjects.iter().map(|subject| format!("{}\n", subject.name)).collect();
    fs_err::write(directory.join("trees/names"), names.concat())?;
    let result = output(&mut shell(
        r#"unshare -m bash -euo pipefail -c '
             mount --bind "$2" "$1/mnt"
             chroot "$1" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 bash -euo pipefail -c "$3"' shell "$1" "$2" "$3""#,
        [
            base.as_os_str(),
            directory.join("trees").as_os_str(),
            r#"while read -r name; do
                 cd "/mnt/$name"
                 options=(); while read -r line; do options+=("-l/mnt/$name/$line"); done < directories
                 mapfile -t files < files
                 : > result
                 [ "${#files[@]}" -gt 0 ] || continue
                 dpkg-shlibdeps -O --warnings=0 "${options[@]}" "${files[@]}" > result 2> log || { echo "$name: $(cat log)"; exit 1; }
               done < /mnt/names"#
                .as_ref(),
        ],
    ))?;
    if !result.status.success() {
        return Err(text(&result).into());
    }
    let mut relations = BTreeMap::new();
    for subject in subjects {
        let text = fs_err::read_to_string(subject.directory.join("result"))?;
        let line = text.lines().find_map(|line| line.strip_prefix("shlibs:Depends=")).unwrap_or_default();
        let list = line.split(", ").filter(|relation| !relation.is_empty()).map(str::to_owned);
        relations.insert(subject.name.clone(), list.collect());
    }
    Ok(relations)
}

/// A root with dpkg-shlibdeps and the libraries that the trees need.
fn judge_root(bench: &Bench, suite: &str) -> Result<PathBuf> {
    let directory = bench.directory.join("roots").join(format!("{suite}-shlibdeps"));
    if directory.join("usr/bin/dpkg-shlibdeps").exists() {
        return Ok(directory);
    }
    say("Making", &format!("a {suite} root with dpkg-shlibdeps"));
    fs_err::create_dir_all(bench.directory.join("roots"))?;
    run(&mut shell(
        r#"rm -rf "$1.new"
           mmdebstrap --quiet --variant=minbase --include=dpkg-dev,libstdc++6,libgcc-s1,zlib1g,libgomp1 "$2" "$1.new"
           mv "$1.new" "$1""#,
        [directory.as_os_str(), suite.as_ref()],
    ))?;
    Ok(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differences(ours: &[&str], theirs: &[&str]) -> Vec<(String, bool)> {
        let owned = |side: &[&str]| side.iter().map(|relation| (*relation).to_owned()).collect::<Vec<_>>();
        let all = compare_debian_relations("debian-12", "x", &owned(ours), &owned(theirs));
        all.into_iter().map(|difference| (difference.on, difference.weaker)).collect()
    }

    #[test]
    fn a_missing_relation_and_a_lower_version_are_weaker() {
        assert_eq!(differences(&["libc6 (>= 2.4)"], &["libc6 (>= 2.34)"]), [("libc6".to_owned(), true)]);
        assert_eq!(differences(&[], &["libc6"]), [("libc6".to_owned(), true)]);
        assert_eq!(differences(&["libc6"], &["libc6 (>= 2.34)"]), [("libc6".to_owned(), true)]);
    }

    #[test]
    fn more_than_the_judge_asks_for_is_a_difference_and_not_weaker() {
        assert_eq!(
            differences(&["libc6 (>= 2.34)", "zlib1g"], &["libc6 (>= 2.34~)"]),
            [("libc6".to_owned(), false), ("zlib1g".to_owned(), false)]
        );
        assert_eq!(differences(&["a | b (>= 1)", "libc6 (>= 2.34)"], &["libc6 (>= 2.34)", "a | b (>= 1)"]), []);
    }
}
