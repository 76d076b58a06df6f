//! What the command line says in the place of the table, and what cargo is to build.

use super::super::{Options, Tables, cargo_deb};
use crate::config::RustSettings;

/// Puts it into the settings of both formats. `rust` is what the table itself says.
pub(super) fn apply(options: &Options, rust: RustSettings, tables: &mut Tables) {
    let overrides = &options.overrides;
    let rust = built(options, rust);
    for settings in [&mut tables.deb, &mut tables.rpm] {
        settings.rust = rust.clone();
        settings.maintainer.clone_from(&overrides.maintainer);
    }
    let deb = &mut tables.deb;
    deb.section.clone_from(&overrides.section);
    deb.multi_arch = overrides.multi_arch;
    if let Some(revision) = &overrides.revision {
        deb.release_text = Some(if revision == "0" { String::new() } else { revision.clone() });
    }
    if let Some(version) = &overrides.version {
        cargo_deb::whole_version(deb, version);
    }
}

fn built(options: &Options, own: RustSettings) -> RustSettings {
    let overrides = &options.overrides;
    let profile = overrides.profile.clone().or(own.profile);
    let name = profile.as_deref().unwrap_or("release");
    let settings = overrides.profile_settings.iter();
    let settings =
        settings.flat_map(|(key, value)| ["--config".to_owned(), format!("profile.{name}.{key}=\"{value}\"")]);
    RustSettings {
        features: [own.features, overrides.features.clone()].concat(),
        all_features: overrides.all_features,
        no_default_features: overrides.no_default_features,
        debug_package: overrides.debug_package.unwrap_or_default(),
        // The tool packs what it finds.
        strip: overrides.strip.or(options.strict_compat.then_some(false)),
        prebuilt: overrides.no_build,
        cargo_arguments: settings.chain(own.cargo_arguments).chain(overrides.cargo_arguments.iter().cloned()).collect(),
        profile,
    }
}
