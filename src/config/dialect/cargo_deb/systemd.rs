//! `systemd-units`: which files are units, under which names they are installed, and what becomes of each.
//!
//! Source: cargo-deb 3.8.0, `src/dh/dh_installsystemd.rs`, `dh_installsysusers.rs` and `dh_lib.rs` (`pkgfile`), which follow
//! debhelper. Two of its traps are none here: units are taken care of whether `maintainer-scripts` is set or not, and a
//! sysusers file that bears the crate's name counts when there is none that bears the package's.

use std::path::{Path, PathBuf};

use super::Reading;
use super::table::Units;
use crate::config::error::Error;
use crate::config::{FileKind, FileSettings, FileSource, SystemdSettings, UnitPolicy, UnitSource};

/// Types of units, each with what stands before its dot in a file's name for a template.
const TYPES: [(&str, &str); 11] = [
    ("", "mount"),
    ("", "path"),
    ("@", "path"),
    ("", "service"),
    ("@", "service"),
    ("", "socket"),
    ("@", "socket"),
    ("", "target"),
    ("@", "target"),
    ("", "timer"),
    ("@", "timer"),
];

/// Where the units of the system's manager are installed.
const UNITS: &str = "/usr/lib/systemd/system/";

/// What `systemd-units` says; the units among `files` are taken out of them, because they are treated alike.
pub(super) fn systemd(
    reading: &mut Reading<'_>,
    files: &mut Vec<FileSettings>,
) -> Result<Option<SystemdSettings>, Error> {
    let Some(all) = reading.table.systemd_units.clone() else { return Ok(None) };
    let mut settings = SystemdSettings { keep_data: true, ..SystemdSettings::default() };
    for units in &all {
        let directory = directory(reading, units)?;
        let name = units.unit_name.as_ref().map(|text| text.as_str().to_owned());
        let found = find_all(reading, &directory, name.as_deref());
        let nothing = found.units.is_empty() && found.sysusers.is_none() && found.tmpfiles.is_none();
        if nothing && !plain_units(files).any(|unit| is_meant(unit, name.as_deref())) {
            let place = units.unit_scripts.as_ref().or(units.unit_name.as_ref());
            let message =
                format!("`systemd-units` finds no unit for `{}` in `{}`", reading.package, directory.display());
            let hint =
                format!("name the file `{}.service`, or correct `unit-scripts` and `unit-name`", reading.package);
            reading.note(place, message, Some(hint));
        }
        let policy = policy(units);
        for (path, installed) in found.units {
            add(&mut settings.units, UnitSource { path, name: Some(installed), policy: Some(policy) });
        }
        if let Some((path, installed)) = found.tmpfiles {
            add(&mut settings.tmpfiles, UnitSource { path, name: Some(installed), policy: None });
        }
        if let Some((path, installed)) = found.sysusers {
            add(&mut settings.sysusers, UnitSource { path, name: Some(installed), policy: None });
        }
    }
    adopt_plain(&all, files, &mut settings);
    Ok(Some(settings))
}

/// What cargo-deb's four switches mean (dh_installsystemd(1)).
fn policy(units: &Units<'_>) -> UnitPolicy {
    UnitPolicy {
        enable: Some(units.enable),
        start: Some(units.start),
        restart_after_upgrade: Some(units.restart_after_upgrade),
        stop_on_upgrade: Some(units.stop_on_upgrade),
    }
}

/// The first of two with one name is installed.
fn add(all: &mut Vec<UnitSource>, unit: UnitSource) {
    if all.iter().all(|other| other.name != unit.name) {
        all.push(unit);
    }
}

/// Where units are looked for: `unit-scripts`, else `maintainer-scripts`, else `systemd`.
fn directory(reading: &Reading<'_>, units: &Units<'_>) -> Result<PathBuf, Error> {
    match units.unit_scripts.as_ref().or(reading.table.maintainer_scripts.as_ref()) {
        Some(text) => reading.directory(text),
        None => Ok(PathBuf::from("systemd")),
    }
}

/// Files with the names that they are installed by.
#[derive(Default)]
struct Found {
    units: Vec<(PathBuf, String)>,
    tmpfiles: Option<(PathBuf, String)>,
    sysusers: Option<(PathBuf, String)>,
}

/// What there is under the package's name, else under the crate's.
fn find_all(reading: &mut Reading<'_>, directory: &Path, unit: Option<&str>) -> Found {
    let (package, name) = (reading.package.clone(), reading.manifest.name().to_owned());
    let mut found = find(reading, directory, &package, unit);
    if name != package {
        let other = find(reading, directory, &name, unit);
        if found.units.is_empty() {
            found.units = other.units;
        }
        found.tmpfiles = found.tmpfiles.or(other.tmpfiles);
        found.sysusers = found.sysusers.or(other.sysusers);
    }
    found
}

fn find(reading: &Reading<'_>, directory: &Path, package: &str, unit: Option<&str>) -> Found {
    let stem = unit.unwrap_or(package);
    let mut found = Found::default();
    for (template, suffix) in TYPES {
        let names = names(package, template, suffix, unit);
        if let Some(path) = first(reading, directory, names) {
            found.units.push((path, format!("{stem}{template}.{suffix}")));
        }
    }
    let tmpfiles = first(reading, directory, names(package, "", "tmpfile", unit));
    found.tmpfiles = tmpfiles.map(|path| {
        // The package's own file is for all units, and installed once.
        let is_units = !["tmpfile", &format!("{package}.tmpfile")].iter().any(|name| path.ends_with(name));
        (path, format!("{}.conf", if is_units { stem } else { package }))
    });
    let sysusers = first(reading, directory, names(package, "", "sysusers", None));
    found.sysusers = sysusers.map(|path| (path, format!("{package}.conf")));
    found
}

/// The names that are tried for one kind of file, the most special first.
pub(super) fn names(package: &str, template: &str, suffix: &str, unit: Option<&str>) -> Vec<String> {
    let is_main = template.is_empty();
    let mut names = Vec::new();
    if let Some(unit) = unit {
        names.push(format!("{package}{template}.{unit}.{suffix}"));
        if is_main {
            names.push(format!("{unit}.{suffix}"));
        }
    }
    names.push(format!("{package}{template}.{suffix}"));
    if is_main {
        names.push(suffix.to_owned());
    }
    names
}

/// The first of `names` that there is.
pub(super) fn first(reading: &Reading<'_>, directory: &Path, names: Vec<String>) -> Option<PathBuf> {
    let mut paths = names.into_iter().map(|name| directory.join(name));
    paths.find(|path| reading.manifest.absolute(path).is_file())
}

/// The names of the units that are installed as plain assets.
fn plain_units(files: &[FileSettings]) -> impl Iterator<Item = &str> {
    files.iter().filter_map(|file| {
        let name = file.path.as_str().strip_prefix(UNITS)?;
        (!name.contains('/') && matches!(&file.kind, FileKind::File(FileSource::Path(_)))).then_some(name)
    })
}

/// Whether settings for the unit `name`, or for all, are for this file.
fn is_meant(file: &str, name: Option<&str>) -> bool {
    name.is_none_or(|name| file.rsplit_once('.').is_some_and(|(stem, _)| stem == name))
}

/// Units that are plain assets get what the settings for their name say, else those for all units; what no settings are
/// for stays a plain file, which the package's scripts leave as it is.
fn adopt_plain(all: &[Units<'_>], files: &mut Vec<FileSettings>, settings: &mut SystemdSettings) {
    let for_file = |file: &str| {
        let named = |units: &&Units<'_>| units.unit_name.is_some();
        let name = |units: &Units<'_>| units.unit_name.as_ref().map(|text| text.as_str().to_owned());
        let own = all.iter().filter(named).find(|units| is_meant(file, name(units).as_deref()));
        own.or_else(|| all.iter().find(|units| units.unit_name.is_none())).map(policy)
    };
    files.retain(|file| {
        let (FileKind::File(FileSource::Path(source)), true) = (&file.kind, file.targets.is_empty()) else {
            return true;
        };
        let path = file.path.as_str();
        let unit = |name: &str, policy| UnitSource { path: source.clone(), name: Some(name.to_owned()), policy };
        if let Some(name) = path.strip_prefix(UNITS).filter(|name| !name.contains('/')) {
            let Some(policy) = for_file(name) else { return true };
            add(&mut settings.units, unit(name, Some(policy)));
            return false;
        }
        for (directory, list) in
            [("/usr/lib/sysusers.d/", &mut settings.sysusers), ("/usr/lib/tmpfiles.d/", &mut settings.tmpfiles)]
        {
            if let Some(name) = path.strip_prefix(directory).filter(|name| !name.contains('/')) {
                add(list, unit(name, None));
                return false;
            }
        }
        true
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_looked_for_as_debhelper_looks_for_them() {
        assert_eq!(names("app", "", "service", None), ["app.service", "service"]);
        assert_eq!(
            names("app", "", "service", Some("worker")),
            ["app.worker.service", "worker.service", "app.service", "service"]
        );
        assert_eq!(names("app", "@", "service", Some("worker")), ["app@.worker.service", "app@.service"]);
    }

    #[test]
    fn settings_for_a_unit_are_for_all_that_bears_its_name() {
        assert!(is_meant("worker.service", Some("worker")) && is_meant("worker.timer", Some("worker")));
        assert!(!is_meant("worker-2.service", Some("worker")) && is_meant("x.socket", None));
    }
}
