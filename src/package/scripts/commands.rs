//! What a script calls that only one family of distributions has.

use super::own::{Own, name};
use crate::config::Stage;
use crate::package::relations;
use crate::target::Format;

/// Programs that one family of distributions has and the other has not, or not so.
const DEBIAN_COMMANDS: &[&str] = &[
    "addgroup",
    "adduser",
    "deb-systemd-helper",
    "deb-systemd-invoke",
    "delgroup",
    "deluser",
    "dpkg",
    "dpkg-divert",
    "dpkg-maintscript-helper",
    "dpkg-query",
    "dpkg-statoverride",
    "dpkg-trigger",
    "invoke-rc.d",
    "py3clean",
    "py3compile",
    "ucf",
    "ucfr",
    "update-rc.d",
];
const RPM_COMMANDS: &[&str] = &["authconfig", "chkconfig", "restorecon", "rpm", "semanage", "semodule", "setsebool"];

/// What a script calls that distributions of `format` do not have.
pub(super) fn missing(package: &str, stage: Stage, script: &Own, format: Format) -> Option<String> {
    let (known, written_for, distributions) = match format {
        Format::Rpm => (DEBIAN_COMMANDS, "rpm", "RPM's distributions do"),
        Format::Deb => (RPM_COMMANDS, "deb", "Debian does"),
    };
    let words = relations::words(&script.text);
    let asks = |name: &str| {
        ["command -v ", "which ", "type ", "hash "]
            .iter()
            .any(|question| script.text.contains(&format!("{question}{name}")))
            || script.text.contains(&format!("/{name} ]"))
    };
    let found: Vec<String> = known
        .iter()
        .filter(|name| words.iter().any(|word| word.rsplit('/').next() == Some(**name)) && !asks(name))
        .map(|name| format!("`{name}`"))
        .collect();
    let name = name(stage, script.written_for);
    (!found.is_empty()).then(|| {
        format!(
            "{package}: the script {name} calls {}, which {distributions} not have or not so; give the package a script of its \
             own with `written-for = \"{written_for}\"` in [services.{package}.scripts]",
            found.join(", ")
        )
    })
}
