//! Two .debs next to each other, as dpkg-deb and tar read them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::Path;
use std::process::Command;

use sha2::{Digest as _, Sha256};

use crate::Result;
use crate::process::{run, shell};

/// Something that is not the same.
pub(super) struct Difference {
    /// What: `field Section`, `member usr/bin/x`, `conffiles`.
    pub(super) what: String,
    pub(super) ours: String,
    pub(super) theirs: String,
}

/// What is compared of a package.
pub(super) struct Package {
    fields: BTreeMap<String, String>,
    /// By path without `./`: type, mode, owner and what a link leads to, or a digest.
    members: BTreeMap<String, Member>,
    conffiles: BTreeSet<String>,
    /// The names of the control archive's files.
    control: BTreeSet<String>,
}

#[derive(PartialEq, Eq)]
struct Member {
    shown: String,
    /// Of what both take from the same file.
    digest: Option<String>,
}

/// Fields that are lists.
const RELATIONS: [&str; 9] =
    ["Depends", "Pre-Depends", "Recommends", "Suggests", "Enhances", "Conflicts", "Breaks", "Replaces", "Provides"];

impl Package {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let fields = fields(&run(Command::new("dpkg-deb").arg("-f").arg(path))?);
        let listed = run(&mut shell(
            r#"dpkg-deb --ctrl-tarfile "$1" | tar -tf - | sed 's,^\./,,' | grep . || true
               echo --
               dpkg-deb -I "$1" conffiles 2>/dev/null || true"#,
            [path],
        ))?;
        let (control, conffiles) = listed.split_once("--\n").unwrap_or((&listed, ""));
        let lines =
            |text: &str| text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
        Ok(Self { fields, members: members(path)?, conffiles: lines(conffiles), control: lines(control) })
    }

    /// What `other` has and this has not: members, conffiles, scripts.
    pub(super) fn lacks(&self, other: &Self) -> Vec<String> {
        let members = other.members.keys().filter(|path| !self.members.contains_key(*path)).cloned();
        let conffiles = other.conffiles.difference(&self.conffiles).cloned();
        members.chain(conffiles).chain(other.control.difference(&self.control).cloned()).collect()
    }
}

/// A control file's fields; continuation lines are joined with what stands before them.
fn fields(text: &str) -> BTreeMap<String, String> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        match line.split_once(':') {
            Some((name, value)) if !line.starts_with(' ') => fields.push((name.to_owned(), value.trim().to_owned())),
            _ => {
                if let Some((_, value)) = fields.last_mut() {
                    value.push('\n');
                    value.push_str(line.trim());
                }
            }
        }
    }
    fields.into_iter().map(|(name, value)| (normal(&name, &value), name)).map(|(value, name)| (name, value)).collect()
}

/// The order of relations and the width of a description say nothing.
fn normal(name: &str, value: &str) -> String {
    if RELATIONS.contains(&name) {
        let all: BTreeSet<&str> = value.split(',').map(str::trim).filter(|one| !one.is_empty()).collect();
        return all.into_iter().collect::<Vec<_>>().join(", ");
    }
    value.to_owned()
}

/// The words of a text.
fn words(text: &str) -> String {
    text.split_whitespace().filter(|word| *word != ".").collect::<Vec<_>>().join(" ")
}

/// Synopsis and long description. What is too long for a synopsis stands in full below it: then the long description
/// is all that the other one says.
fn descriptions(ours: &Package, theirs: &Package) -> Vec<(&'static str, String, String)> {
    let of = |package: &Package| -> (String, String) {
        let text = package.fields.get("Description").cloned().unwrap_or_default();
        let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
        (words(first), words(rest))
    };
    let ((our_synopsis, our_rest), (their_synopsis, their_rest)) = (of(ours), of(theirs));
    let whole = format!("{their_synopsis} {their_rest}");
    let same = our_rest == their_rest || our_rest == whole.trim();
    let their_rest = if same { our_rest.clone() } else { their_rest };
    vec![("synopsis", our_synopsis, their_synopsis), ("long description", our_rest, their_rest)]
}

/// The data archive's members: `0755 root/root`, links with where they lead.
fn members(path: &Path) -> Result<BTreeMap<String, Member>> {
    let directory = path.with_extension("content");
    if directory.exists() {
        fs_err::remove_dir_all(&directory)?;
    }
    let listing = run(&mut shell(
        r#"mkdir -p "$2" && dpkg-deb --fsys-tarfile "$1" | tar -C "$2" -xf - --no-same-owner
           dpkg-deb --fsys-tarfile "$1" | tar -tvf - --numeric-owner --quoting-style=literal"#,
        [path, &directory],
    ))?;
    let mut members = BTreeMap::new();
    for line in listing.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [mode, owner, _size, _date, _time, name @ ..] = words.as_slice() else { continue };
        let name = name.join(" ");
        let (name, link) = name.split_once(" -> ").map_or((name.as_str(), ""), |(name, link)| (name, link));
        let name = name.trim_start_matches("./").trim_end_matches('/');
        // Whether the archive begins with its root is a matter of taste.
        if name.is_empty() || name == "." {
            continue;
        }
        let shown = format!("{mode} {owner} {link}").trim_end().to_owned();
        members.insert(name.to_owned(), Member { shown, digest: digest(&directory.join(name), name)? });
    }
    fs_err::remove_dir_all(&directory)?;
    Ok(members)
}

/// The digest of a file that both take as it is; programs are stripped, documents made, pages compressed by each.
fn digest(path: &Path, name: &str) -> Result<Option<String>> {
    if !path.symlink_metadata()?.is_file() || name.ends_with(".gz") || name.ends_with("/copyright") {
        return Ok(None);
    }
    let mut content = Vec::new();
    fs_err::File::open(path)?.read_to_end(&mut content)?;
    Ok((!content.starts_with(b"\x7fELF")).then(|| hex::encode(Sha256::digest(&content))))
}

/// All that differs between two packages.
pub(super) fn packages(ours: &Package, theirs: &Package) -> Vec<Difference> {
    const NONE: &str = "-";
    let mut all = Vec::new();
    let mut differ = |what: String, ours: &str, theirs: &str| {
        if ours != theirs {
            all.push(Difference { what, ours: ours.to_owned(), theirs: theirs.to_owned() });
        }
    };
    let names: BTreeSet<&String> = ours.fields.keys().chain(theirs.fields.keys()).collect();
    for name in names.into_iter().filter(|name| !["Installed-Size", "Description"].contains(&name.as_str())) {
        let of = |package: &Package| package.fields.get(name).cloned().unwrap_or_else(|| NONE.to_owned());
        differ(format!("field {name}"), &of(ours), &of(theirs));
    }
    for (what, ours, theirs) in descriptions(ours, theirs) {
        differ(what.to_owned(), &ours, &theirs);
    }
    let paths: BTreeSet<&String> = ours.members.keys().chain(theirs.members.keys()).collect();
    for path in paths {
        let of = |package: &Package| package.members.get(path).map_or(NONE.to_owned(), |member| member.shown.clone());
        differ(format!("member {path}"), &of(ours), &of(theirs));
        if let (Some(our), Some(their)) = (ours.members.get(path), theirs.members.get(path))
            && our.shown == their.shown
        {
            let of = |member: &Member| member.digest.clone().unwrap_or_default();
            differ(format!("content {path}"), &of(our), &of(their));
        }
    }
    let joined = |list: &BTreeSet<String>| list.iter().cloned().collect::<Vec<_>>().join(" ");
    differ("conffiles".to_owned(), &joined(&ours.conffiles), &joined(&theirs.conffiles));
    let names: BTreeSet<&String> = ours.control.symmetric_difference(&theirs.control).collect();
    for name in names {
        let of = |package: &Package| if package.control.contains(name) { name.as_str() } else { NONE }.to_owned();
        differ(format!("control {name}"), &of(ours), &of(theirs));
    }
    all
}
