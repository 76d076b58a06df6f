//! Presets (systemd.preset(5)): RPM enables a unit on first installation only where a preset says so, and the policy of
//! Enterprise Linux and SUSE is that nothing is enabled. A package whose settings ask for it brings its own.

use super::{Error, Scope, ServiceFacts, Units, add};
use crate::tree::Tree;

/// Adds the presets of all units that can be enabled.
pub(super) fn install(service: &ServiceFacts<'_>, units: &Units, tree: &mut Tree) -> Result<(), Error> {
    let package = service.package();
    let files: [(&str, &Scope); 2] = [("system-preset", &units.system), ("user-preset", &units.user)];
    for (directory, scope) in files {
        if !scope.enableable.is_empty() {
            let text: String = scope.enableable.iter().map(|unit| format!("enable {unit}\n")).collect();
            add(service, tree, &format!("/usr/lib/systemd/{directory}/50-{package}.preset"), &text)?;
        }
    }
    Ok(())
}
