//! `[services.NAME.systemd]`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::reader::Reader;
use super::service::parsed;
use super::value;

/// `restart` of a service's units on upgrade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RestartPolicy {
    /// Stopped before unpacking, started afterwards.
    StopStart,
    /// Restarted once the new version is configured.
    #[default]
    AfterUpgrade,
    /// Left alone.
    Never,
}

/// `[services.NAME.systemd]`.
#[derive(Debug, Clone, Default)]
pub struct SystemdSettings {
    /// Unit files in the service's directory.
    pub units: Vec<PathBuf>,
    /// The command line of a generated unit (first word: one of the service's commands) when there are no `units`.
    pub command: Option<String>,
    /// The system user to run as; made by sysusers.d.
    pub user: Option<String>,
    /// What happens to running units on upgrade.
    pub restart: RestartPolicy,
    /// Enable on first installation; `None` is the family's custom (Debian: yes, RPM: by preset).
    pub enable: Option<bool>,
    /// Start on first installation; `None` is the family's custom (Debian: yes, RPM: no).
    pub start: Option<bool>,
}

/// `[services.NAME.systemd]`.
pub(super) fn systemd(table: Reader<'_>) -> Result<SystemdSettings, Error> {
    let policies = [
        ("after-upgrade", RestartPolicy::AfterUpgrade),
        ("stop-start", RestartPolicy::StopStart),
        ("never", RestartPolicy::Never),
    ];
    let units = parsed(table.strings("units")?, value::unit)?;
    let command = table.string("command")?;
    if let (Some(command), false) = (&command, units.is_empty()) {
        return Err(command.error(
            "a unit is generated from `command` only when there are no `units`",
            Some("keep one of `units` and `command`".to_owned()),
        ));
    }
    let settings = SystemdSettings {
        units,
        command: command.map(|text| text.checked(value::one_line, "")).transpose()?,
        user: table.string("user")?.map(|text| text.checked(value::user, "")).transpose()?,
        restart: table.string("restart")?.map(|text| text.choice(&policies)).transpose()?.unwrap_or_default(),
        enable: table.boolean("enable")?,
        start: table.boolean("start")?,
    };
    table.finish()?;
    Ok(settings)
}
