//! debhelper's files that are installed at a place which their name tells: documents, man pages, cron, logrotate, …
//!
//! Source: the manual pages of debhelper 13's `dh_install*`.

use super::Draft;
use super::debian::Debian;
use super::install::Places;
use crate::config::{Setting, page_name, value};
use crate::name::OrgName;

/// A file `debian/PACKAGE.EXTENSION` with the directory that it is installed in, under the package's name.
struct Place {
    extension: &'static str,
    directory: &'static str,
    /// What stands before and after the package's name.
    before: &'static str,
    after: &'static str,
    mode: Option<&'static str>,
}

const fn place(extension: &'static str, directory: &'static str) -> Place {
    Place { extension, directory, before: "", after: "", mode: None }
}

const PLACES: [Place; 10] = [
    place("cron.d", "/etc/cron.d"),
    Place { mode: Some("0755"), ..place("cron.hourly", "/etc/cron.hourly") },
    Place { mode: Some("0755"), ..place("cron.daily", "/etc/cron.daily") },
    Place { mode: Some("0755"), ..place("cron.weekly", "/etc/cron.weekly") },
    Place { mode: Some("0755"), ..place("cron.monthly", "/etc/cron.monthly") },
    place("logrotate", "/etc/logrotate.d"),
    place("default", "/etc/default"),
    place("pam", "/etc/pam.d"),
    Place { before: "60-", after: ".rules", ..place("udev", "/usr/lib/udev/rules.d") },
    place("bash-completion", "/usr/share/bash-completion/completions"),
];

/// The files that are read here.
pub(super) const EXTENSIONS: [&str; 24] = [
    "cron.d",
    "cron.hourly",
    "cron.daily",
    "cron.weekly",
    "cron.monthly",
    "logrotate",
    "default",
    "pam",
    "udev",
    "bash-completion",
    "docs",
    "examples",
    "manpages",
    "conffiles",
    "maintscript",
    "init",
    "upstart",
    "lintian-overrides",
    "README.Debian",
    "TODO",
    "NEWS",
    "info",
    "menu",
    "doc-base",
];

pub(super) fn files(debian: &Debian, new: &str, org: &OrgName, draft: &mut Draft) {
    let places = Places { old: &debian.old, new, org, package: &debian.name };
    for Place { extension, directory, before, after, mode } in &PLACES {
        let Some(file) = debian.file(extension) else { continue };
        // cron and logrotate pass over names with a dot.
        let name = debian.name.replace('.', "_");
        let path = format!("{directory}/{before}{name}{after}");
        let Some(source) = debian.named(&file, draft) else { continue };
        let mut entry = vec![Setting::new("source", source), Setting::new("path", path.clone())];
        entry.extend(mode.map(|mode| Setting::new("mode", mode)));
        draft.files.push(entry);
        if places.old != places.new && debian.text(&file).contains(places.old) {
            let why = format!(
                "it names {}, where nothing is any more: let it call /usr/bin/…, which works with both packages",
                places.old
            );
            draft.leave(format!("what debian/{file} calls, which is installed at {path}"), why);
        }
    }
    documents(debian, draft);
    pages(debian, draft);
    conffiles(debian, draft);
    maintscript(debian, draft);
    for (extension, why) in [
        ("init", "packhouse's packages are started by systemd: a unit takes its place"),
        ("upstart", "packhouse's packages are started by systemd: a unit takes its place"),
        (
            "lintian-overrides",
            "packhouse writes the overrides that its own tree needs, and `packhouse check` judges the rest",
        ),
        ("NEWS", "packhouse makes the package's documents from git"),
        ("info", "packhouse does not install info pages"),
        ("menu", "Debian's menu was given up"),
        ("doc-base", "packhouse does not register documents"),
    ] {
        if let Some(file) = debian.file(extension) {
            draft.leave(format!("debian/{file}"), why);
        }
    }
}

/// `*.docs`, `*.examples`, README.Debian and TODO.
fn documents(debian: &Debian, draft: &mut Draft) {
    let documents = format!("/usr/share/doc/{}", debian.name);
    let document = |source: String, path: String| {
        vec![Setting::new("source", source), Setting::new("path", path), Setting::new("role", "documentation")]
    };
    for (extension, path) in [("docs", format!("{documents}/")), ("examples", format!("{documents}/examples/"))] {
        let Some(file) = debian.file(extension) else { continue };
        for source in debian.lines(&file, draft).into_iter().flatten() {
            let base = debian.root.join(&debian.base);
            let is_pattern = source.contains(['*', '?', '[']);
            let named = debian.in_service(std::path::Path::new(&source)).filter(|named| !named.is_empty());
            match named {
                Some(named) if is_pattern || base.join(&source).exists() => {
                    draft.files.push(document(named, path.clone()))
                }
                _ => draft
                    .leave(format!("`{source}` of debian/{file}"), "nothing in the service's directory is called so"),
            }
        }
    }
    for name in ["README.Debian", "TODO"] {
        if let Some(file) = debian.file(name)
            && let Some(source) = debian.named(&file, draft)
        {
            draft.files.push(document(source, format!("{documents}/{name}")));
        }
    }
}

/// `*.manpages`.
fn pages(debian: &Debian, draft: &mut Draft) {
    let Some(file) = debian.file("manpages") else { return };
    for source in debian.lines(&file, draft).into_iter().flatten() {
        let path = std::path::Path::new(&source);
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_there = debian.root.join(&debian.base).join(path).is_file();
        match debian.in_service(path) {
            Some(named) if is_there && page_name(&name).is_ok() => append(&mut draft.service, "man", &named),
            _ => draft.leave(
                format!("`{source}` of debian/{file}"),
                "it is no page in the service's directory; without one, packhouse makes a page from the command's --help",
            ),
        }
    }
}

/// `*.conffiles` adds to what debhelper marks by itself: all in /etc, as here.
fn conffiles(debian: &Debian, draft: &mut Draft) {
    let Some(file) = debian.file("conffiles") else { return };
    for path in debian.lines(&file, draft).into_iter().flatten() {
        if path == "remove-on-upgrade" || path.starts_with("/etc/") {
            continue;
        }
        draft.leave(
            format!("{path} of debian/{file}"),
            "only files in /etc can be configuration files (Debian Policy 10.7.2)",
        );
    }
}

/// `*.maintscript`: commands of dpkg-maintscript-helper(1).
fn maintscript(debian: &Debian, draft: &mut Draft) {
    let Some(file) = debian.file("maintscript") else { return };
    let mut removed: Vec<toml::Value> = Vec::new();
    for words in debian.lines(&file, draft) {
        match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["rm_conffile", path, version, ..] if path.starts_with("/etc/") => {
                let text = |text: &str| toml::Value::String(text.to_owned());
                // The helper takes the last version that had it, or the first without it with `~`.
                let version = version.trim_end_matches('~');
                let entry = [("path".to_owned(), text(path)), ("version".to_owned(), text(version))];
                removed.push(toml::Value::Table(toml::Table::from_iter(entry)));
            }
            _ => draft.leave(
                format!("`{}` of debian/{file}", words.join(" ")),
                "packhouse knows only rm_conffile, and finds by itself what was removed since the last published package",
            ),
        }
    }
    if !removed.is_empty() {
        draft.service.push(Setting::new("removed-config", toml::Value::Array(removed)));
    }
}

/// Adds a text to the list at `key`.
pub(super) fn append(settings: &mut Vec<Setting>, key: &str, text: &str) {
    append_value(settings, key, toml::Value::String(text.to_owned()));
}

/// Adds a value to the list at `key`, once.
pub(super) fn append_value(settings: &mut Vec<Setting>, key: &str, added: toml::Value) {
    match settings.iter_mut().find(|setting| setting.key == key) {
        Some(Setting { value: toml::Value::Array(list), .. }) => {
            if !list.contains(&added) {
                list.push(added);
            }
        }
        _ => settings.push(Setting::new(key, vec![added])),
    }
}

/// Whether a name can be a unit's.
pub(super) fn is_unit(name: &str) -> bool {
    value::unit(name).is_ok()
}
