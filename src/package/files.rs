//! `[[services.NAME.files]]` in the tree: files, directories and links beside the private tree.
//!
//! Three steps: [`install`] puts the entries into the tree; [`check`] looks at the finished tree, when everything that a link
//! may lead to is in it; [`ownership`] takes out of a Debian tree what dpkg cannot unpack (owners that the package makes
//! itself, capabilities, ghosts) and hands it to the maintainer scripts.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::assemble::gzip;
use super::built::{self, BuiltFile};
use super::scripts::{Actions, Ownership};
use super::sources::{self, Problem, What};
use super::{Error, Relations};
use crate::config::{FileKind, FileSettings, FileSource, Place, ServiceSettings, Settings};
use crate::name::PackageName;
use crate::target::{Format, Target, accounts};
use crate::tree::{Content, Entry, InstallPath, Node, Role, Tree};

/// Whose entries they are.
#[derive(Clone, Copy)]
pub(super) struct Owner<'a> {
    pub(super) settings: &'a Settings,
    pub(super) package: &'a PackageName,
    pub(super) service: &'a ServiceSettings,
    /// The service's directory, absolute.
    pub(super) directory: &'a Path,
    /// What was made for the entries; `None` before anything is made.
    pub(super) built: Option<&'a BTreeMap<PathBuf, BuiltFile>>,
}

impl Owner<'_> {
    /// Whether the entries were written for another tool, which would take what we would not.
    fn is_adopted(&self) -> bool {
        self.service.dialect.is_some()
    }
}

/// More than any package's users take.
const MAX_SYSUSERS: u64 = 1024 * 1024;

/// Where each path that an entry installed stands in the configuration.
pub(super) type Places<'a> = BTreeMap<InstallPath, &'a Place>;

/// One thing to install, its source not read yet.
pub(super) struct Planned<'a> {
    pub(super) path: InstallPath,
    pub(super) what: Thing,
    pub(super) mode: u32,
    settings: &'a FileSettings,
    /// Whether it is compressed on the way.
    compress: bool,
}

pub(super) enum Thing {
    File(PathBuf),
    Made(Content),
    Directory,
    Symlink(InstallPath),
    HardLink(InstallPath),
}

impl Planned<'_> {
    fn user(&self) -> &str {
        self.settings.user.as_deref().unwrap_or("root")
    }

    fn group(&self) -> &str {
        self.settings.group.as_deref().unwrap_or("root")
    }
}

fn refused(package: &PackageName, place: Option<&Place>, problem: String, hint: String) -> Error {
    Error::File { package: package.to_string(), problem, hint, location: place.map(|place| Box::new(place.location())) }
}

/// All that one entry installs.
pub(super) fn plan<'a>(owner: Owner<'_>, settings: &'a FileSettings) -> Result<Vec<Planned<'a>>, Error> {
    let package = owner.package;
    let error = |problem: String, hint: &str| refused(package, Some(&settings.place), problem, hint.to_owned());
    let sources_error = |Problem { what, hint }| refused(package, Some(&settings.place), what, hint);
    let invalid = |invalid: crate::tree::InvalidInstallPath| {
        error(invalid.to_string(), "rename the file, or choose another `path`")
    };
    let planned = |path: InstallPath, what: Thing, mode: u32| Planned { path, what, mode, settings, compress: false };
    if !owner.is_adopted() {
        check_org(owner, settings)?;
    }
    let simple = |what: Thing, mode: u32| Ok(vec![planned(settings.path.clone(), what, settings.mode.unwrap_or(mode))]);
    match &settings.kind {
        FileKind::Directory => simple(Thing::Directory, 0o755),
        FileKind::Ghost if settings.into => simple(Thing::Directory, 0o755),
        FileKind::Ghost => simple(Thing::File(PathBuf::new()), 0o644),
        FileKind::Symlink { target } => simple(Thing::Symlink(target.clone()), 0o777),
        FileKind::HardLink { target } => simple(Thing::HardLink(target.clone()), 0o644),
        FileKind::File(source @ (FileSource::Built { .. } | FileSource::BuiltGlob { .. })) => {
            let all = plan_built(owner, settings, source)?;
            let all = all.into_iter().map(|(path, what, mode)| compressed(planned(path, what, mode)).map_err(invalid));
            all.collect()
        }
        FileKind::File(source) => {
            let sources = sources::find(&owner.settings.root, owner.directory, source).map_err(sources_error)?;
            if settings.capabilities.is_some() && !sources.is_file {
                let hint = "name the one program that is to have them as `source`";
                return Err(error("capabilities are given to one file at a time".to_owned(), hint));
            }
            let base = match (&sources.name, settings.into) {
                (Some(name), true) => settings.path.join(name).map_err(invalid)?,
                _ => settings.path.clone(),
            };
            let place = |below: &str| if below.is_empty() { Ok(base.clone()) } else { base.join(below) };
            let mut all = Vec::with_capacity(sources.found.len());
            for found in sources.found {
                let path = place(&found.below).map_err(invalid)?;
                all.push(match found.what {
                    What::Link { to } => planned(path, Thing::Symlink(place(&to).map_err(invalid)?), 0o777),
                    What::File { path: from, executable } => {
                        let mode = settings.mode.unwrap_or(if executable { 0o755 } else { 0o644 });
                        if settings.capabilities.is_some() && mode & 0o111 == 0 {
                            let hint = "make the source executable, or write mode = \"0755\"";
                            return Err(error(format!("{path} has capabilities and is not executable"), hint));
                        }
                        planned(path, Thing::File(from), mode)
                    }
                });
            }
            if !owner.is_adopted() {
                check_each(package, settings, &all)?;
            }
            all.into_iter().map(|planned| compressed(planned).map_err(invalid)).collect()
        }
    }
}

/// What an entry that names what cargo makes installs.
fn plan_built(
    owner: Owner<'_>,
    settings: &FileSettings,
    source: &FileSource,
) -> Result<Vec<(InstallPath, Thing, u32)>, Error> {
    let Some(built) = owner.built else {
        // Of a pattern nobody knows yet what it finds.
        let is_known = matches!(source, FileSource::Built { .. });
        let path = built::place(settings, "").filter(|_| is_known);
        return Ok(path.map(|path| (path, Thing::File(PathBuf::new()), 0o755)).into_iter().collect());
    };
    let mut all = Vec::new();
    for (below, file) in built::find(built, source) {
        let Some(path) = built::place(settings, &below) else { continue };
        let mode = settings.mode.unwrap_or(if file.executable { 0o755 } else { 0o644 });
        all.push((path, Thing::Made(file.content.clone()), mode));
    }
    if all.is_empty() {
        let what = match source {
            FileSource::BuiltGlob { pattern, .. } => pattern.glob().glob().to_owned(),
            FileSource::Built { path, .. } => path.display().to_string(),
            _ => String::new(),
        };
        let hint = "correct `source`; what another program makes must be there before packhouse runs".to_owned();
        return Err(refused(owner.package, Some(&settings.place), format!("cargo makes no `{what}`"), hint));
    }
    Ok(all)
}

/// A file that is to be compressed has the name of what comes out.
fn compressed(planned: Planned<'_>) -> Result<Planned<'_>, crate::tree::InvalidInstallPath> {
    let is_file = matches!(planned.what, Thing::File(_) | Thing::Made(_));
    if !planned.settings.compress || !is_file || planned.path.as_str().ends_with(".gz") {
        return Ok(planned);
    }
    Ok(Planned { path: InstallPath::parse(&format!("{}.gz", planned.path))?, compress: true, ..planned })
}

/// What is known only of the single files of a directory or a pattern.
fn check_each(package: &PackageName, settings: &FileSettings, all: &[Planned<'_>]) -> Result<(), Error> {
    for one in all {
        let path = one.path.as_str();
        let name = one.path.file_name();
        let refuse = |problem: &str, hint: &str| {
            Err(refused(package, Some(&settings.place), format!("{path}: {problem}"), hint.to_owned()))
        };
        let misleads = crate::config::value::one_line(path).is_err();
        if misleads || path.contains(['\\', '*', '?', '[', ']', '"']) || path.split('/').any(|part| part.trim() != part)
        {
            return refuse("the name has a character that lists of files cannot hold", "rename the file");
        }
        if ["/usr/lib/systemd/system/", "/usr/lib/systemd/user/"].iter().any(|units| path.starts_with(units)) {
            return refuse(
                "a unit or a drop-in is more than a file: the package's scripts must know of it",
                &format!("list it in [services.{package}.systemd] units"),
            );
        }
        if path.starts_with("/usr/share/man/") && !name.ends_with(".gz") {
            return refuse(
                "man pages are compressed (Debian Policy 12.1), and this one is not",
                &format!("list the page in [services.{package}] man, or compress it with `gzip -9n`"),
            );
        }
    }
    Ok(())
}

/// Each service has a tree of its own below `/usr/lib/<org>`; the directories that all of them are in belong to none.
fn check_org(owner: Owner<'_>, settings: &FileSettings) -> Result<(), Error> {
    let (org, package) = (&owner.settings.project.org, owner.package);
    let path = settings.path.as_str();
    let error = |problem: String, hint: String| Err(refused(package, Some(&settings.place), problem, hint));
    let shared = [format!("/usr/lib/{org}"), format!("/etc/{org}")];
    if shared.iter().any(|shared| shared == path) && !matches!(settings.kind, FileKind::File(_)) {
        let hint = format!("choose a directory below it, like {path}/{package}");
        return error(
            format!("{path} is shared by all services of the project, and always root's with the mode 0755"),
            hint,
        );
    }
    let Some(below) = path.strip_prefix(&format!("/usr/lib/{org}/")) else { return Ok(()) };
    if below.split('/').next() == Some(package.as_str()) {
        return Ok(());
    }
    let hint = format!("install it below /usr/lib/{org}/{package}");
    error(format!("{path} is in the private tree of another service"), hint)
}

/// Puts the entries that are for `target` into the tree; what the user should know of it goes to `notes`.
pub(super) fn install<'a>(
    owner: Owner<'a>,
    target: &Target,
    tree: &mut Tree,
    notes: &mut Vec<String>,
) -> Result<Places<'a>, Error> {
    let mut places = Places::new();
    for settings in owner.service.files.iter().filter(|settings| settings.is_for(target)) {
        for planned in plan(owner, settings)? {
            let entry = entry(&planned, target)?;
            let path = planned.path.clone();
            let is_linked = tree.get(&path).is_some_and(|present| matches!(present.node, Node::Symlink(_)));
            if is_linked && matches!(planned.what, Thing::Made(_)) && !places.contains_key(&path) {
                // The command is in the private tree already, and this is its link.
                continue;
            }
            if let Err(conflict) = tree.insert(path.clone(), entry) {
                if owner.is_adopted() {
                    notes.push(format!("{conflict}: the first one is installed"));
                    continue;
                }
                let hint = "rename one of the two, or leave one out".to_owned();
                return Err(refused(owner.package, Some(&settings.place), conflict.to_string(), hint));
            }
            places.insert(path, &settings.place);
        }
    }
    Ok(places)
}

fn entry(planned: &Planned<'_>, target: &Target) -> Result<Entry, Error> {
    let settings = planned.settings;
    let node = match &planned.what {
        Thing::File(_) if settings.role == Role::Ghost => Node::File(Content::bytes(Vec::new())),
        Thing::File(source) if planned.compress => Node::File(Content::bytes(gzip(&fs_err::read(source)?)?)),
        Thing::File(source) => Node::File(Content::file(source)?),
        Thing::Made(content) if planned.compress => {
            let mut bytes = Vec::new();
            content.open()?.read_to_end(&mut bytes)?;
            Node::File(Content::bytes(gzip(&bytes)?))
        }
        Thing::Made(content) => Node::File(content.clone()),
        Thing::Directory => Node::Directory,
        Thing::Symlink(to) => Node::Symlink(link_text(&planned.path, to, target.format())),
        Thing::HardLink(to) => Node::HardLink(to.clone()),
    };
    let is_link = matches!(node, Node::Symlink(_) | Node::HardLink(_));
    // In a directory of configuration files a link is no configuration file (Debian Policy 10.7.3).
    let role = if is_link { Role::Plain } else { settings.role };
    let owned = Entry::root(node, planned.mode).with_role(role);
    if is_link {
        return Ok(owned);
    }
    let capabilities = settings.capabilities.clone();
    let (user, group) = (planned.user().to_owned(), planned.group().to_owned());
    Ok(Entry { user, group, capabilities, marks: settings.marks, ..owned })
}

/// Debian: relative within one top-level directory and absolute between two (Policy 10.5). RPM: always relative (rpmlint's
/// `symlink-should-be-relative`). Links into `/dev` are the mask of a unit or the like, and absolute everywhere.
fn link_text(path: &InstallPath, to: &InstallPath, format: Format) -> String {
    let top = |path: &InstallPath| path.relative().split('/').next().unwrap_or_default().to_owned();
    let is_absolute = top(to) == "dev" || (format == Format::Deb && top(path) != top(to));
    if is_absolute { to.as_str().to_owned() } else { path.relative_link_to(to) }
}

/// Looks at the finished tree: links lead to something, and nothing stands below what is no directory.
pub(super) fn check(
    owner: Owner<'_>,
    places: &Places<'_>,
    prefix: &InstallPath,
    tree: &Tree,
    notes: &mut Vec<String>,
) -> Result<(), Error> {
    let package = owner.package;
    let all = tree.with_directories();
    let private = [prefix.as_str().to_owned(), format!("/usr/share/{package}"), format!("/usr/share/doc/{package}")];
    for (path, entry) in tree.iter() {
        let place = places.get(path).copied();
        let refuse = |problem: String, hint: &str| Err(refused(package, place, problem, hint.to_owned()));
        let mut parent = path.parent();
        while let Some(directory) = parent {
            if let Some(above) = tree.get(&directory)
                && !matches!(above.node, Node::Directory)
            {
                let place = place.or_else(|| places.get(&directory).copied());
                let problem = format!("{path} would be below {directory}, which is no directory");
                return Err(refused(package, place, problem, "choose another path for one of the two".to_owned()));
            }
            parent = directory.parent();
        }
        match (&entry.node, place) {
            (Node::HardLink(to), _) => {
                let is_file =
                    tree.get(to).is_some_and(|entry| matches!(entry.node, Node::File(_)) && entry.role != Role::Ghost);
                if !is_file {
                    return refuse(
                        format!("{path} is a hard link to {to}, which is no file of this package"),
                        "let `target` name a file that this package installs, or write type = \"symlink\"",
                    );
                }
            }
            (Node::Symlink(to), Some(_)) => {
                let to = followed(path, to);
                let is_private = private
                    .iter()
                    .any(|private| to.strip_prefix(private.as_str()).is_some_and(|rest| rest.starts_with('/')));
                if is_private && !InstallPath::parse(&to).is_ok_and(|to| reaches(&all, &to)) {
                    let problem = format!("{path} leads to {to}, which this package does not install");
                    if !owner.is_adopted() {
                        return refuse(problem, "correct `target`, or install what it names");
                    }
                    notes.push(problem);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// The absolute path that a link at `path` with this text leads to.
fn followed(path: &InstallPath, text: &str) -> String {
    if text.starts_with('/') {
        return text.to_owned();
    }
    let mut parts: Vec<&str> = path.relative().split('/').collect();
    parts.pop();
    for part in text.split('/') {
        match part {
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Whether something is at `path`, or a link above it leads away.
fn reaches(all: &BTreeMap<InstallPath, Entry>, path: &InstallPath) -> bool {
    let mut at = Some(path.clone());
    while let Some(current) = at {
        match all.get(&current) {
            Some(entry) if matches!(entry.node, Node::Symlink(_)) => return true,
            Some(_) => return current == *path,
            None => at = current.parent(),
        }
    }
    false
}

/// Finds out who owns what. Every user must be one of the system's or one that the package makes. A .deb is unpacked before
/// its users exist, and has no place for capabilities: there root owns these files until the postinst gives them away,
/// and what is made at run time is taken away by the postrm.
pub(super) fn ownership(
    owner: Owner<'_>,
    places: &Places<'_>,
    target: &Target,
    tree: &mut Tree,
    actions: &mut Actions,
    notes: &mut Vec<String>,
) -> Result<(), Error> {
    let format = target.format();
    let made = made_accounts(tree)?;
    let mut changed = Vec::new();
    for (path, entry) in tree.iter() {
        if matches!(entry.node, Node::Symlink(_) | Node::HardLink(_)) {
            continue;
        }
        let user_is_systems = accounts::user(&entry.user, format).is_some();
        let group_is_systems = accounts::group(&entry.group, format).is_some();
        let mut is_unknown = false;
        for (kind, name, is_systems, made) in
            [("user", &entry.user, user_is_systems, &made.0), ("group", &entry.group, group_is_systems, &made.1)]
        {
            if !is_systems && !made.contains(name) {
                let problem = format!("{path}: nobody makes the {kind} `{name}` on {target}");
                if owner.is_adopted() {
                    notes.push(format!("{problem}: it is root's unless a script of the package makes it before"));
                    is_unknown = true;
                    continue;
                }
                let hint = format!(
                    "name the user that the package makes in [services.{}.systemd] user = \"{name}\", or choose one that \
                     every system has",
                    owner.package
                );
                return Err(refused(owner.package, places.get(path).copied(), problem, hint));
            }
        }
        if format != Format::Deb {
            continue;
        }
        if entry.role == Role::Ghost {
            actions.ghosts.push(path.clone());
            continue;
        }
        if is_unknown {
            changed.extend((format == Format::Deb).then(|| path.clone()));
            continue;
        }
        let is_given = !user_is_systems || !group_is_systems;
        let owner = is_given.then(|| (entry.user.clone(), entry.group.clone(), entry.mode));
        if owner.is_some() || entry.capabilities.is_some() {
            let capabilities = entry.capabilities.clone();
            actions.ownership.push(Ownership { path: path.clone(), owner, capabilities });
        }
        if is_given {
            changed.push(path.clone());
        }
    }
    for path in changed {
        let Some(entry) = tree.remove(&path) else { continue };
        // Root must not be what the bits that change the user were meant for.
        let unpacked = Entry { user: "root".to_owned(), group: "root".to_owned(), mode: entry.mode & 0o1777, ..entry };
        tree.insert(path, unpacked)
            .map_err(|conflict| Error::Conflict { package: owner.package.to_string(), conflict })?;
    }
    Ok(())
}

/// Programs that read files of the tree by themselves, and that a system may be without: weak relations, as both
/// distributions' packages have them (rpmlint's `missing-dependency-to-logrotate`, `missing-dependency-to-crontabs`).
const READERS: [(&str, &str, &str); 2] =
    [("/etc/logrotate.d/", "logrotate", "logrotate"), ("/etc/cron.", "cron | cron-daemon", "crontabs")];

/// Adds who reads what the package installs to its recommendations, unless it is related to them already.
pub(super) fn recommend_readers(tree: &Tree, format: Format, relations: &mut Relations) {
    for (directory, debian, rpm) in READERS {
        let name = if format == Format::Deb { debian } else { rpm };
        let is_needed = tree.iter().any(|(path, _)| path.as_str().starts_with(directory));
        let all = [&relations.depends, &relations.pre_depends, &relations.recommends, &relations.suggests];
        let names =
            |relation: &String| relation.split([' ', '|', ',']).any(|word| name.split(" | ").any(|one| one == word));
        if is_needed && !all.into_iter().flatten().any(names) {
            relations.recommends.push(name.to_owned());
            relations.recommends.sort();
        }
    }
}

/// The users and groups that the package's sysusers.d(5) files make.
fn made_accounts(tree: &Tree) -> std::io::Result<(BTreeSet<String>, BTreeSet<String>)> {
    let (mut users, mut groups) = (BTreeSet::new(), BTreeSet::new());
    for (path, entry) in tree.iter() {
        let Node::File(content) = &entry.node else { continue };
        if !path.as_str().starts_with("/usr/lib/sysusers.d/") {
            continue;
        }
        let mut bytes = Vec::new();
        content.open()?.take(MAX_SYSUSERS).read_to_end(&mut bytes)?;
        for line in String::from_utf8_lossy(&bytes).lines() {
            let mut words = line.split_whitespace();
            match (words.next(), words.next()) {
                (Some("u" | "u!"), Some(name)) => {
                    users.insert(name.to_owned());
                    groups.insert(name.to_owned());
                }
                (Some("g"), Some(name)) => {
                    groups.insert(name.to_owned());
                }
                (Some("m"), Some(user)) => {
                    users.insert(user.to_owned());
                    groups.extend(words.next().map(str::to_owned));
                }
                _ => {}
            }
        }
    }
    Ok((users, groups))
}
