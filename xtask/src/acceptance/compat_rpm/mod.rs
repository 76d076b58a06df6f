//! cargo-generate-rpm and packhouse package the same projects in one run, packhouse with `--strict-compat`; rpm reads both
//! packages. What differs is in a table of what is meant, with the reason, or a failure.
//!
//! Programs are stubs, because the tool does not build either. From each table packhouse makes a .deb as well, without
//! `--strict-compat`: it must hold what the RPM holds.

mod header;
mod intended;
mod subjects;

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Bench, crates};
use crate::Result;
use crate::process::{output, run, say, shell, show, text};
use header::Facts;
use intended::INTENDED;
use subjects::{Origin, SUBJECTS, Subject};

/// The peer.
const TOOL: (&str, &str) = ("cargo-generate-rpm", "0.21.1");
/// The time of everything: both write it.
const TIME: &str = "1700000000";

/// How often each reason was needed, and the last time.
type Used = BTreeMap<&'static str, (usize, String)>;

/// One fact on which the packages differ.
struct Difference<'a> {
    fact: &'a str,
    theirs: Option<&'a str>,
    ours: Option<&'a str>,
    /// Whether the tool installs something below /lib.
    has_merged: bool,
    /// Whether it is a fact of a directory of our package.
    is_our_directory: bool,
}

impl<'a> Difference<'a> {
    /// The file that the fact is of, if it lies below `directory`.
    fn path(&self, directory: &str) -> Option<&'a str> {
        let (path, _) = self.fact.strip_prefix("file ")?.rsplit_once(": ")?;
        path.starts_with(directory).then_some(path)
    }
}

/// Packages all subjects with both and compares.
pub(super) fn judge(bench: &Bench) -> Result<()> {
    let directory = bench.directory.join("compat-rpm");
    run(&mut shell(r#"rm -rf "$1"; mkdir -p "$1""#, [&directory]))?;
    let tool = crates::tool(bench, TOOL.0, TOOL.1)?;
    let mut failures = Vec::new();
    let mut used = Used::new();
    for subject in SUBJECTS {
        say("Packaging", &format!("{} with {} and packhouse", subject.name, TOOL.0));
        let project = prepare(bench, &directory, subject)?;
        let result = compare(bench, &tool, &project, subject, &mut used).and_then(|mut unmeant| {
            unmeant.extend(same_in_deb(bench, &project, subject)?);
            Ok(unmeant)
        });
        match result {
            Ok(unmeant) => failures.extend(unmeant.into_iter().map(|one| format!("{}: {one}", subject.name))),
            Err(error) => failures.push(format!("{}: {error}", subject.name)),
        }
    }
    let mut page = String::from("differences that are meant:\n");
    for rule in INTENDED {
        match used.get(rule.reason) {
            Some((count, example)) => page.push_str(&format!("{count:6}  {}\n        ({example})\n", rule.reason)),
            None => failures.push(format!("nothing needs the rule: {}", rule.reason)),
        }
    }
    show(page.trim_end());
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n").into()) }
}

/// The project's files in a git repository, with what a build would have made.
fn prepare(bench: &Bench, directory: &Path, subject: &Subject) -> Result<PathBuf> {
    let project = directory.join(subject.name.replace(", ", "-").replace(' ', "-"));
    match &subject.origin {
        Origin::Public(wanted) => {
            let files = crates::fetch(bench, wanted)?;
            run(&mut shell(r#"cp -R "$1" "$2"; rm -f "$2/.cargo_vcs_info.json""#, [&files, &project]))?;
        }
        Origin::Own(files) => {
            for (path, text) in *files {
                write(&project.join(path), text)?;
            }
            for script in files.iter().filter(|(path, _)| path.ends_with(".sh")) {
                fs_err::set_permissions(project.join(script.0), PermissionsExt::from_mode(0o755))?;
            }
        }
    }
    let stub = crates::stub(bench)?;
    for path in subject.made {
        let place = project.join(path);
        if path.starts_with("target/release/") {
            fs_err::create_dir_all(place.parent().ok_or("a parent")?)?;
            fs_err::copy(&stub, &place)?;
        } else if !place.exists() {
            write(&place, &format!("made in place of {path}\n"))?;
        }
    }
    write(
        &project.join("packhouse.toml"),
        "[project]\norg = \"acme\"\nmaintainer = \"Acme Packagers <packages@acme.example>\"\ntargets = [\"el9\", \"debian-12\"]\n",
    )?;
    write(&project.join(".gitignore"), "/target\n")?;
    run(&mut shell(
        r#"cd "$1"; git init -q; git add -A; git -c user.name=Acme -c user.email=packages@acme.example commit -qm 'Begin'"#,
        [&project],
    ))?;
    Ok(project)
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs_err::create_dir_all(path.parent().ok_or("a parent")?)?;
    Ok(fs_err::write(path, text)?)
}

/// Both packages, and on what they differ that is not meant.
fn compare(bench: &Bench, tool: &Path, project: &Path, subject: &Subject, used: &mut Used) -> Result<Vec<String>> {
    let place = project.with_extension("packages");
    fs_err::create_dir_all(&place)?;
    let theirs = place.join("theirs.rpm");
    let mut command = Command::new(tool);
    command.arg("generate-rpm").args(subject.theirs).args(subject.arguments).arg("-o").arg(&theirs);
    let said = output(command.env("SOURCE_DATE_EPOCH", TIME).current_dir(project))?;
    let ours = header::facts(&package(bench, project, subject, "el9", &["--strict-compat"])?)?;
    match subject.broken {
        Some((complaint, wanted)) => {
            if said.status.success() || !text(&said).contains(complaint) {
                return Err(format!("the tool no longer says {complaint:?}: compare with it\n{}", text(&said)).into());
            }
            let wrong = wanted.iter().filter(|(fact, value)| ours.get(*fact).map(String::as_str) != Some(value));
            Ok(wrong.map(|(fact, value)| format!("{fact}: {value} is wanted, and is {:?}", ours.get(*fact))).collect())
        }
        None if !said.status.success() => Err(format!("the tool fails\n{}", text(&said)).into()),
        None => Ok(unmeant(&header::facts(&theirs)?, &ours, used)),
    }
}

/// The differences that no rule names.
fn unmeant(theirs: &Facts, ours: &Facts, used: &mut Used) -> Vec<String> {
    let has_merged = theirs.keys().any(|fact| fact.starts_with("file /lib/"));
    let facts: BTreeSet<&String> = theirs.keys().chain(ours.keys()).collect();
    let mut unmeant = Vec::new();
    for fact in facts {
        let mode = fact.rsplit_once(": ").and_then(|(file, _)| ours.get(&format!("{file}: mode")));
        let is_our_directory = mode.is_some_and(|mode| mode.starts_with("40"));
        let (theirs, ours) = (theirs.get(fact).map(String::as_str), ours.get(fact).map(String::as_str));
        if theirs == ours {
            continue;
        }
        let difference = Difference { fact, theirs, ours, has_merged, is_our_directory };
        match INTENDED.iter().find(|rule| (rule.holds)(&difference)) {
            Some(rule) => {
                let (count, example) = used.entry(rule.reason).or_default();
                *count += 1;
                *example = format!("{fact}: {} there, {} here", shown(theirs), shown(ours));
            }
            None => unmeant.push(format!("{fact}: {} there, {} here", shown(theirs), shown(ours))),
        }
    }
    unmeant
}

fn shown(value: Option<&str>) -> String {
    value.map_or("nothing".to_owned(), |value| format!("{value:?}"))
}

/// packhouse's package of the project for one target.
fn package(bench: &Bench, project: &Path, subject: &Subject, target: &str, more: &[&str]) -> Result<PathBuf> {
    let out = project.with_extension("packages").join(target);
    let mut command = Command::new(&bench.packhouse);
    command
        .arg("-C")
        .arg(project)
        .args(["build", "--no-previous", "--no-build", "--target", target, "--out"])
        .arg(&out);
    command.args(more).args(subject.arguments).env("SOURCE_DATE_EPOCH", TIME);
    command.env("PACKHOUSE_CACHE_DIR", bench.directory.join("compat-cache"));
    let printed = run(command.current_dir(project))?;
    let mut packages = printed.lines().filter(|line| line.ends_with(".rpm") || line.ends_with(".deb"));
    match (packages.next(), packages.next()) {
        (Some(one), None) => Ok(out.join(one)),
        _ => Err(format!("one package is expected, not {printed:?}").into()),
    }
}

/// What the .deb of the same table lacks of the RPM; nothing is said of a project with a table of cargo-deb, which makes it.
fn same_in_deb(bench: &Bench, project: &Path, subject: &Subject) -> Result<Vec<String>> {
    let manifest = project.join(subject.theirs.last().unwrap_or(&"")).join("Cargo.toml");
    if fs_err::read_to_string(manifest)?.contains("[package.metadata.deb") {
        return Ok(Vec::new());
    }
    let rpm = header::facts(&package(bench, project, subject, "el9", &["--strict-compat"])?)?;
    let deb = package(bench, project, subject, "debian-12", &[])?;
    let listed = run(&mut shell(r#"dpkg-deb --fsys-tarfile "$1" | tar -t"#, [&deb]))?;
    let plain = |path: &str| path.trim_start_matches('.').trim_end_matches('/').trim_end_matches(".gz").to_owned();
    let in_deb: BTreeSet<String> = listed.lines().map(plain).collect();
    let in_rpm = rpm.keys().filter_map(|fact| fact.strip_prefix("file ")?.strip_suffix(": mode").map(plain));
    let missing = in_rpm.filter(|path| !in_deb.contains(path));
    Ok(missing.map(|path| format!("{path} is in the RPM and not in the .deb")).collect())
}
