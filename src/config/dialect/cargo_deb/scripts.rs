//! `maintainer-scripts`: the scripts and debconf files of a directory.
//!
//! Source: cargo-deb 3.8.0, `src/deb/control.rs` (`generate_scripts`) and `src/dh/dh_lib.rs` (`apply`). Where it stops because
//! a script lacks `#DEBHELPER#`, the generated part goes to the script's end here.

use std::path::{Path, PathBuf};

use super::Reading;
use super::systemd::{first, names};
use crate::config::error::Error;
use crate::config::{Debconf, Script, ScriptSettings, Stage, TextSource};
use crate::target::Format;

/// The scripts by the names of their files.
const STAGES: [(&str, Stage); 4] = [
    ("preinst", Stage::PreInstall),
    ("postinst", Stage::PostInstall),
    ("prerm", Stage::PreRemove),
    ("postrm", Stage::PostRemove),
];

/// What the directory holds.
pub(super) fn scripts(reading: &mut Reading<'_>) -> Result<ScriptSettings, Error> {
    let Some(text) = reading.table.maintainer_scripts.clone() else { return Ok(ScriptSettings::default()) };
    let directory = reading.directory(&text)?;
    if !reading.manifest.absolute(&directory).is_dir() {
        let hint = "correct `maintainer-scripts`, relative to the directory of this Cargo.toml";
        reading.note(Some(&text), format!("there is no directory `{}`", directory.display()), Some(hint.to_owned()));
        return Ok(ScriptSettings::default());
    }
    let mut scripts = ScriptSettings::default();
    for (name, stage) in STAGES {
        if let Some(path) = script(reading, &directory, name) {
            let text = TextSource::File(path);
            let script = Script { text, interpreter: Vec::new(), flags: 0, written_for: Format::Deb };
            scripts.stages.insert(stage, script);
        }
    }
    let file = |name: &str| {
        let path = directory.join(name);
        reading.manifest.absolute(&path).is_file().then_some(TextSource::File(path))
    };
    let debconf = Debconf { config: file("config"), templates: file("templates") };
    scripts.debconf = Some(debconf).filter(|debconf| *debconf != Debconf::default());
    Ok(scripts)
}

/// The script `name`: with `systemd-units`, as debhelper looks for it, for each unit that is named; else the file itself.
fn script(reading: &mut Reading<'_>, directory: &Path, name: &str) -> Option<PathBuf> {
    let Some(all) = reading.table.systemd_units.clone() else {
        return first(reading, directory, vec![name.to_owned()]);
    };
    let mut found: Vec<PathBuf> = Vec::new();
    for units in &all {
        let unit = units.unit_name.as_ref().map(|text| text.as_str());
        let names = names(&reading.package, "", name, unit);
        found.extend(first(reading, directory, names).filter(|path| !found.contains(path)));
    }
    if let [.., last] = found.as_slice()
        && found.len() > 1
    {
        let message = format!("there are several scripts `{name}`: `{}` counts", last.display());
        let place = reading.table.maintainer_scripts.clone();
        reading.note(place.as_ref(), message, Some("put what all of them do into one".to_owned()));
    }
    found.pop()
}
