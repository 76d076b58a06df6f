//! A package of dh-virtualenv, taken over: after `init`, packhouse's .deb has the commands, the configuration files, the units
//! and the relations of the one that dh-virtualenv itself builds from the same directory (`tests/acceptance/dh-virtualenv`).
//!
//! dpkg-deb reads both. Each difference is one of [`INTENDED`], with its reason, or a failure; so is an intention that
//! nothing shows any more.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Bench;
use crate::Result;
use crate::process::{output, root, run, say, shell, text};

/// Where packhouse means to differ.
const INTENDED: &[Intention] = &[
    ours(
        "Depends",
        "python3.11",
        "the tree is of this interpreter; dh-virtualenv's package breaks without it and does not say so",
    ),
    ours("Recommends", "logrotate", "what reads /etc/logrotate.d is recommended"),
];

/// Fields of relations (deb-control(5)).
const RELATIONS: [&str; 9] =
    ["Pre-Depends", "Depends", "Recommends", "Suggests", "Enhances", "Conflicts", "Breaks", "Replaces", "Provides"];

/// A relation that only ours has.
struct Intention {
    field: &'static str,
    /// The package that the relation names.
    package: &'static str,
    reason: &'static str,
}

const fn ours(field: &'static str, package: &'static str, reason: &'static str) -> Intention {
    Intention { field, package, reason }
}

/// What is compared of a package.
struct Facts {
    /// Paths in the directories of commands.
    commands: BTreeSet<String>,
    conffiles: BTreeSet<String>,
    /// By name.
    units: BTreeMap<String, String>,
    relations: BTreeSet<(&'static str, String)>,
}

pub(super) fn judge(bench: &Bench) -> Result<()> {
    let directory = bench.directory.join("dh-virtualenv");
    run(&mut shell(
        r#"rm -rf "$1" && mkdir -p "$1" && cp -R "$2" "$1/old" && cp -R "$2" "$1/shop" && cd "$1/shop" && git init -q &&
           git add -A && git -c user.name=Acme -c user.email=cloud@acme.example commit -qm start"#,
        [directory.as_os_str(), root().join("tests/acceptance/dh-virtualenv").as_os_str()],
    ))?;
    say("Building", "a package with dh-virtualenv");
    run(&mut shell(r#"cd "$1/old" && dpkg-buildpackage -us -uc -b -d 2>&1"#, [&directory]))?;
    let theirs = one(&directory, "shop_1.0-1_")?;

    say("Taking", "the same directory over");
    let repository = directory.join("shop");
    let packhouse = |arguments: &[&str]| {
        let mut command = Command::new(&bench.packhouse);
        command.env("PACKHOUSE_CACHE_DIR", bench.directory.join("cache")).arg("-C").arg(&repository).args(arguments);
        command
    };
    let proposed = run(&mut packhouse(&["init", "--org", "acme", "--dry-run"]))?;
    if repository.join("packhouse.toml").exists() {
        return Err("`init --dry-run` has written a file".into());
    }
    run(&mut packhouse(&["init", "--org", "acme"]))?;
    let written = fs_err::read_to_string(repository.join("packhouse.toml"))?;
    if proposed.trim_end() != written.trim_end() {
        return Err(format!("`init --dry-run` printed something else than `init` writes:\n{proposed}").into());
    }
    let again = output(&mut packhouse(&["init", "--org", "acme"]))?;
    if again.status.code() != Some(2) || fs_err::read_to_string(repository.join("packhouse.toml"))? != written {
        return Err(format!("a second `init` must end with 2 and leave the file: {}", text(&again)).into());
    }
    run(&mut packhouse(&["vendor"]))?;
    let mut build = packhouse(&["build", "--out"]);
    run(build.arg(directory.join("artefacts")))?;
    let ours = one(&directory.join("artefacts"), "shop_")?;

    say("Comparing", "both");
    let (ours, theirs) = (Facts::read(&ours, &directory)?, Facts::read(&theirs, &directory)?);
    let mut differences = Vec::new();
    for (what, ours, theirs) in
        [("commands", &ours.commands, &theirs.commands), ("configuration files", &ours.conffiles, &theirs.conffiles)]
    {
        if ours != theirs {
            differences.push(format!("{what}: ours {ours:?}, theirs {theirs:?}"));
        }
        say("Same", &format!("{what}: {ours:?}"));
    }
    if ours.units != theirs.units {
        differences.push(format!("units: ours {:#?}, theirs {:#?}", ours.units, theirs.units));
    }
    say("Same", &format!("units: {:?}", ours.units.keys().collect::<Vec<_>>()));
    differences.extend(relations(&ours.relations, &theirs.relations));
    if !differences.is_empty() {
        return Err(format!("what was taken over is not the same:\n{}\n\n{written}", differences.join("\n")).into());
    }
    Ok(())
}

/// Differences between relations that nobody means, and intentions without a difference.
fn relations(ours: &BTreeSet<(&'static str, String)>, theirs: &BTreeSet<(&'static str, String)>) -> Vec<String> {
    let mut used = BTreeSet::new();
    let mut differences = Vec::new();
    let all = ours.difference(theirs).map(|one| (true, one)).chain(theirs.difference(ours).map(|one| (false, one)));
    for (is_ours, (field, relation)) in all {
        let package = relation.split([' ', '(', ':']).next().unwrap_or_default();
        let meant = INTENDED.iter().position(|one| is_ours && one.field == *field && one.package == package);
        let who = if is_ours { "ours" } else { "theirs" };
        match meant.and_then(|index| Some((index, INTENDED.get(index)?))) {
            Some((index, intention)) => {
                used.insert(index);
                say("Meant", &format!("only {who}: {field}: {relation} ({})", intention.reason));
            }
            None => differences.push(format!("only {who}: {field}: {relation}")),
        }
    }
    for (index, intention) in INTENDED.iter().enumerate().filter(|(index, _)| !used.contains(index)) {
        differences.push(format!("intention {index} ({} {}) shows nowhere", intention.field, intention.package));
    }
    differences
}

impl Facts {
    fn read(package: &Path, directory: &Path) -> Result<Self> {
        let place = directory.join("unpacked").join(package.file_stem().unwrap_or_default());
        fs_err::create_dir_all(directory.join("unpacked"))?;
        run(Command::new("dpkg-deb").arg("-R").arg(package).arg(&place))?;
        let below = |directory: &str| -> Result<Vec<PathBuf>> {
            let directory = place.join(directory);
            if !directory.is_dir() {
                return Ok(Vec::new());
            }
            fs_err::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect()
        };
        let mut commands = BTreeSet::new();
        for directory in ["usr/bin", "usr/sbin"] {
            for path in below(directory)? {
                let target = fs_err::read_link(&path)?;
                let target = path
                    .parent()
                    .unwrap_or(Path::new("/"))
                    .join(place.join(target.strip_prefix("/").unwrap_or(&target)));
                // It leads into the package, to something that can be run.
                if !target.exists() && !path.exists() {
                    return Err(format!("{} leads nowhere", path.display()).into());
                }
                commands.insert(path.strip_prefix(&place)?.display().to_string());
            }
        }
        let mut units = BTreeMap::new();
        for directory in ["usr/lib/systemd/system", "lib/systemd/system"] {
            for path in below(directory)?.into_iter().filter(|path| path.is_file()) {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let text = fs_err::read_to_string(&path)?;
                // The tree's place is what was to change.
                units.insert(name, text.replace("/usr/lib/acme/shop/", "/opt/venvs/shop/"));
            }
        }
        let conffiles = fs_err::read_to_string(place.join("DEBIAN/conffiles"))?;
        let conffiles = conffiles.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
        let mut relations = BTreeSet::new();
        for field in RELATIONS {
            let value = run(Command::new("dpkg-deb").arg("-f").arg(package).arg(field))?;
            let parts = value.split(',').map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
            relations.extend(parts.filter(|part| !part.is_empty()).map(|part| (field, part)));
        }
        Ok(Self { commands, conffiles, units, relations })
    }
}

/// The one package whose name begins so.
fn one(directory: &Path, start: &str) -> Result<PathBuf> {
    let mut found = Vec::new();
    for entry in fs_err::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with(start) && name.ends_with(".deb") && !name.contains("dbgsym") {
            found.push(path);
        }
    }
    match found.as_slice() {
        [only] => Ok(only.clone()),
        _ => Err(format!("{} packages {start} in {}", found.len(), directory.display()).into()),
    }
}
