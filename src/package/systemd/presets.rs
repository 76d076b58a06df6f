//! Presets (systemd.preset(5)): RPM enables a unit on first installation only where a preset says so, and the policy of
//! Enterprise Linux and SUSE is that nothing is enabled. A package whose settings ask for it brings its own.

use super::{Error, Scope, ServiceFacts, Units, add};
use crate::config::SystemdSettings;
use crate::tree::Tree;

/// Adds the presets of the units of which the settings say that they are to be enabled.
pub(super) fn install(
    service: &ServiceFacts<'_>,
    systemd: &SystemdSettings,
    units: &Units,
    tree: &mut Tree,
) -> Result<(), Error> {
    let is_wanted = |unit: &&String| {
        let own = units.policies.get(*unit).and_then(|policy| policy.enable);
        own.or(systemd.enable) == Some(true)
    };
    let package = service.package();
    let files: [(&str, &Scope); 2] = [("system-preset", &units.system), ("user-preset", &units.user)];
    for (directory, scope) in files {
        let wanted = scope.enableable.iter().filter(is_wanted);
        let text: String = wanted.map(|unit| format!("enable {unit}\n")).collect();
        if !text.is_empty() {
            add(service, tree, &format!("/usr/lib/systemd/{directory}/50-{package}.preset"), &text)?;
        }
    }
    Ok(())
}
