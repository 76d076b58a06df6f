//! `*.links`, `*.install` and `*.dirs`: what debhelper puts beside the environment (dh_link(1), dh_install(1),
//! dh_installdirs(1)).
//!
//! Links from /usr/bin into the environment are packhouse's commands. Other paths are taken where a package may install;
//! what is installed below the old environment goes below the new one.

use std::path::{Path, PathBuf};

use super::Draft;
use super::debian::{Debian, absolute};
use super::rules::UNKNOWN;
use crate::config::{Setting, page_name, value};
use crate::name::OrgName;
use crate::target::{Format, hierarchy};

/// The files that are read here.
pub(super) const EXTENSIONS: [&str; 3] = ["links", "install", "dirs"];

/// The directory that a package has for itself in the place of an old one.
pub(super) struct Places<'a> {
    /// Where dh-virtualenv installed.
    pub(super) old: &'a str,
    /// Where packhouse installs.
    pub(super) new: &'a str,
    pub(super) org: &'a OrgName,
    pub(super) package: &'a str,
}

impl Places<'_> {
    /// An installed path as debhelper's files name it: relative to the root, with the names that directories have today.
    pub(super) fn path(&self, text: &str) -> String {
        let path = absolute(text);
        if let Some(below) = below(&path, self.old) {
            return format!("{}{below}", self.new);
        }
        let merged = ["/bin", "/sbin", "/lib"].iter().find(|merged| below(&path, merged).is_some());
        if merged.is_some() { format!("/usr{path}") } else { path }
    }

    /// Why nothing can be installed at `path`.
    pub(super) fn objection(&self, path: &str) -> Option<String> {
        if path.contains(['\\', '*', '?', '[', ']', '"', '$', UNKNOWN]) || value::one_line(path).is_err() {
            return Some("the path has a character that means something else".to_owned());
        }
        let foreign = below(path, &format!("/usr/lib/{}", self.org))
            .is_some_and(|rest| rest.split('/').nth(1).is_some_and(|owner| owner != self.package));
        if foreign {
            return Some("it is in the tree of another service".to_owned());
        }
        let either = [Format::Deb, Format::Rpm].into_iter().find_map(|format| hierarchy::objection(path, format));
        either.map(|(problem, hint)| format!("{problem}: {hint}"))
    }
}

/// What of `path` is below `directory`; empty for the directory itself.
pub(super) fn below<'a>(path: &'a str, directory: &str) -> Option<&'a str> {
    path.strip_prefix(directory).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// `*.links`, and what the rules give dh_link.
pub(super) fn links(debian: &Debian, new: &str, org: &OrgName, draft: &mut Draft) {
    let places = Places { old: &debian.old, new, org, package: &debian.name };
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut take = |words: &[String], place: String, draft: &mut Draft| {
        for pair in words.chunks(2) {
            match pair {
                [target, link] if !target.contains(UNKNOWN) && !link.contains(UNKNOWN) => {
                    pairs.push((absolute(target), absolute(link)));
                }
                _ => draft.leave(format!("{place}: `{}`", pair.join(" ")), "it is no pair of a target and a link"),
            }
        }
    };
    if let Some(name) = debian.file("links") {
        for words in debian.lines(&name, draft) {
            take(&words, format!("debian/{name}"), draft);
        }
    }
    for command in &debian.rules.commands {
        for words in
            debian.rules.words(command).iter().filter(|words| words.first().is_some_and(|word| word == "dh_link"))
        {
            let plain: Vec<String> = words.iter().skip(1).filter(|word| !word.starts_with('-')).cloned().collect();
            take(&plain, format!("debian/rules:{}", command.line), draft);
        }
    }
    let mut commands: Vec<String> = Vec::new();
    let mut kept: Vec<String> = Vec::new();
    for (target, link) in pairs {
        let program = below(&target, &debian.old).and_then(|rest| rest.strip_prefix("/bin/"));
        let name = places.path(&link).strip_prefix("/usr/bin/").map(str::to_owned);
        if let Some(program) = program {
            kept.push(program.to_owned());
        }
        match (program, name) {
            (Some(program), Some(name)) if program == name && value::command(&name).is_ok() => {
                if !commands.contains(&name) {
                    commands.push(name);
                }
            }
            _ => symlink(&places, &link, &target, None, draft),
        }
    }
    commands.sort();
    let mut own = debian.member.commands.clone();
    own.sort();
    if commands != own {
        let reason = match commands.as_slice() {
            [] => "dh-virtualenv's package links no command into /usr/bin.",
            _ => "The commands that debian/*.links links into /usr/bin.",
        };
        draft.service.push(Setting::new("commands", commands.clone()).because(reason));
    }
    old_paths(debian, &places, kept, own, draft);
}

/// A link at `link`, which the old package has, to `target`.
fn symlink(places: &Places<'_>, link: &str, target: &str, comment: Option<&str>, draft: &mut Draft) {
    let (path, target) = (places.path(link), places.path(target));
    if let Some(why) = places.objection(&path) {
        draft.leave(format!("the link {link}"), why);
        return;
    }
    if path == target {
        return;
    }
    let mut kind = Setting::new("type", "symlink");
    if let Some(comment) = comment {
        kind = kind.because(comment);
    }
    draft.files.push(vec![kind, Setting::new("path", path), Setting::new("target", target)]);
}

/// Programs at their old paths, where a package may install: somebody may call them by these. Only files are linked: dpkg
/// does not replace the old package's directory by a link.
fn old_paths(debian: &Debian, places: &Places<'_>, linked: Vec<String>, own: Vec<String>, draft: &mut Draft) {
    if places.old == places.new {
        return;
    }
    let mut programs: Vec<String> = linked.into_iter().chain(own).filter(|name| value::command(name).is_ok()).collect();
    programs.sort();
    programs.dedup();
    let reachable = absolute(&format!("{}/bin/x", places.old));
    if programs.is_empty() {
        return;
    }
    if let Some(why) = places.objection(&reachable) {
        draft.leave(
            format!("the environment at {}", places.old),
            format!(
                "{why}. It is {} now; whoever calls {}/bin/… calls /usr/bin/… instead. Units and maintainer scripts of \
                 debian/ are read as if they named the new place",
                places.new, places.old
            ),
        );
        return;
    }
    for program in programs {
        // Not through `symlink`, which would read the old path as the new one.
        let mut kind = Setting::new("type", "symlink");
        if draft.files.iter().all(|entry| entry.first().is_none_or(|first| first.comment.is_none())) {
            kind = kind.because(format!("Programs stay where dh-virtualenv installed them: {}.", debian.old));
        }
        draft.files.push(vec![
            kind,
            Setting::new("path", format!("{}/bin/{program}", places.old)),
            Setting::new("target", format!("{}/bin/{program}", places.new)),
        ]);
    }
}

/// `*.install` and `*.dirs`.
pub(super) fn installed(debian: &Debian, new: &str, org: &OrgName, draft: &mut Draft) {
    let places = Places { old: &debian.old, new, org, package: &debian.name };
    if let Some(name) = debian.file("install") {
        for words in debian.lines(&name, draft) {
            let file = format!("debian/{name}");
            match words.as_slice() {
                // dh-exec's way of giving a file another name.
                [source, arrow, path] if arrow == "=>" => {
                    install(debian, &places, source, &places.path(path), false, draft);
                }
                [only] => {
                    let directory = Path::new(only).parent().unwrap_or(Path::new(""));
                    let directory = directory.strip_prefix("debian/tmp").unwrap_or(directory);
                    let directory = places.path(&directory.to_string_lossy());
                    install(debian, &places, only, &directory, true, draft);
                }
                [sources @ .., directory] => {
                    for source in sources {
                        install(debian, &places, source, &places.path(directory), true, draft);
                    }
                }
                [] => draft.leave(file, "a line is empty"),
            }
        }
    }
    if let Some(name) = debian.file("dirs") {
        let lines = debian.lines(&name, draft);
        for directory in lines.iter().flatten() {
            let path = places.path(directory);
            // The system's, the organisation's and the tree's own are there anyway.
            let is_there = hierarchy::is_system_directory(&path)
                || [format!("/usr/lib/{org}"), format!("/etc/{org}"), new.to_owned()].contains(&path);
            if is_there {
                continue;
            }
            match places.objection(&path) {
                Some(why) => draft.leave(format!("the directory {path} of debian/{name}"), why),
                None => draft.files.push(vec![Setting::new("type", "directory"), Setting::new("path", path)]),
            }
        }
    }
}

/// One source of `*.install`, into a directory or at a path.
fn install(debian: &Debian, places: &Places<'_>, source: &str, path: &str, into: bool, draft: &mut Draft) {
    let found = matching(debian, source);
    if found.is_empty() {
        let why = "nothing in the repository is called so: it is made while the package is built, and packhouse runs no rules";
        draft.leave(format!("`{source}`, which is installed in {path}"), why);
        return;
    }
    // What has a place of its own is named one by one.
    const SPECIAL: [&str; 5] =
        ["/usr/lib/systemd", "/usr/lib/tmpfiles.d", "/usr/lib/sysusers.d", "/usr/share/man", "/etc/init.d"];
    let is_special = SPECIAL.iter().any(|special| below(path, special).is_some());
    let as_pattern = into && !is_special && is_one_directory_of_files(debian, source, &found);
    let found = if as_pattern { vec![PathBuf::from(source)] } else { found };
    for one in found {
        let Some(named) = debian.in_service(&one).filter(|named| !named.is_empty()) else {
            let why = format!("it lies outside of {}", debian.member.path.display());
            draft.leave(format!("`{}`, which is installed in {path}", one.display()), why);
            continue;
        };
        let file = one.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let whole = if into { format!("{}/{file}", path.trim_end_matches('/')) } else { path.to_owned() };
        if taken_otherwise(debian, &whole, &file, &named, draft) {
            continue;
        }
        let probe = if as_pattern { format!("{path}/x") } else { whole.clone() };
        if let Some(why) = places.objection(&probe) {
            draft.leave(format!("`{named}`, which is installed at {whole}"), why);
            continue;
        }
        let path = if into { format!("{}/", path.trim_end_matches('/')) } else { path.to_owned() };
        draft.files.push(vec![Setting::new("source", named), Setting::new("path", path)]);
    }
}

/// What packhouse has a place of its own for.
fn taken_otherwise(debian: &Debian, path: &str, file: &str, named: &str, draft: &mut Draft) -> bool {
    let add = |settings: &mut Vec<Setting>, key: &str| super::files::append(settings, key, named);
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    match directory {
        "/usr/lib/systemd/system" if value::unit(named).is_ok() => add(&mut draft.systemd, "units"),
        "/usr/lib/systemd/user" if value::unit(named).is_ok() => add(&mut draft.systemd, "user-units"),
        "/usr/lib/sysusers.d" if file.ends_with(".conf") => add(&mut draft.systemd, "sysusers"),
        "/usr/lib/tmpfiles.d" if file.ends_with(".conf") => add(&mut draft.systemd, "tmpfiles"),
        _ if directory.starts_with("/usr/share/man/man") && page_name(file).is_ok() => add(&mut draft.service, "man"),
        "/etc/init.d" => draft.leave(format!("`{named}`"), "packhouse's packages are started by systemd: write a unit"),
        _ if path.starts_with(&format!("/usr/share/doc/{}/", debian.name))
            && ["changelog", "copyright"].iter().any(|made| file.starts_with(made)) =>
        {
            draft.leave(format!("`{named}`"), "packhouse writes this document itself");
        }
        _ => return false,
    }
    true
}

/// What a path or a pattern of `*.install` finds in the repository, relative to the directory that `debian` is in.
fn matching(debian: &Debian, source: &str) -> Vec<PathBuf> {
    let base = debian.root.join(&debian.base);
    let relative = super::debian::normalized(Path::new(source));
    if !source.contains(['*', '?', '[']) {
        let path = base.join(&relative);
        let inside = path.exists() && value::stays_inside(&debian.root, &path);
        return if inside { vec![relative] } else { Vec::new() };
    }
    let Ok(pattern) = value::glob(&relative.to_string_lossy()) else { return Vec::new() };
    let matcher = pattern.compile_matcher();
    let depth = relative.components().count();
    let walk = walkdir::WalkDir::new(base.join(fixed(&relative))).max_depth(depth).sort_by_file_name();
    let paths =
        walk.into_iter().flatten().filter_map(|entry| entry.path().strip_prefix(&base).ok().map(Path::to_path_buf));
    paths.filter(|path| matcher.is_match(path) && value::stays_inside(&debian.root, &base.join(path))).collect()
}

/// The part of a pattern without special characters.
fn fixed(pattern: &Path) -> PathBuf {
    let plain = |part: &std::path::Component<'_>| !part.as_os_str().to_string_lossy().contains(['*', '?', '[']);
    pattern.components().take_while(plain).collect()
}

/// Whether a pattern finds the same in packhouse's configuration: files alone, of one directory.
fn is_one_directory_of_files(debian: &Debian, source: &str, found: &[PathBuf]) -> bool {
    let base = debian.root.join(&debian.base);
    let pattern = Path::new(source);
    pattern.components().count() == fixed(pattern).components().count() + 1
        && source.contains(['*', '?', '['])
        && !source.starts_with('.')
        && found.iter().all(|path| base.join(path).is_file())
}
