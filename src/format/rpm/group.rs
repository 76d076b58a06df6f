//! `Group`: where a package stands in RPM's old tree of groups (`GROUPS` in rpm's documentation up to 4.14).
//!
//! rpmbuild writes `Unspecified` where a spec file has none, and rpmlint calls that an error. Nothing but listings reads it,
//! so it is derived from what is known: the units that a package brings, else its section in Debian's archive.

use crate::package::Package;

/// Sections of Debian's archive (Policy 2.4) that have a group of their own.
const SECTIONS: &[(&str, &str)] = &[
    ("comm", "Applications/Communications"),
    ("database", "Applications/Databases"),
    ("debug", "Development/Debug"),
    ("devel", "Development/Tools"),
    ("doc", "Documentation"),
    ("editors", "Applications/Editors"),
    ("graphics", "Applications/Multimedia"),
    ("httpd", "System Environment/Daemons"),
    ("libdevel", "Development/Libraries"),
    ("libs", "System Environment/Libraries"),
    ("mail", "Applications/Internet"),
    ("net", "Applications/Internet"),
    ("news", "Applications/Internet"),
    ("science", "Applications/Engineering"),
    ("shells", "System Environment/Shells"),
    ("sound", "Applications/Multimedia"),
    ("text", "Applications/Text"),
    ("video", "Applications/Multimedia"),
    ("web", "Applications/Internet"),
];

/// The group of `package`.
pub(super) fn group(package: &Package) -> &'static str {
    let is_unit = |path: &str| path.starts_with("/usr/lib/systemd/system/") && path.ends_with(".service");
    if package.tree.iter().any(|(path, _)| is_unit(path.as_str())) {
        return "System Environment/Daemons";
    }
    // `contrib/net` is net of another area.
    let section = package.section.rsplit('/').next().unwrap_or_default();
    SECTIONS.iter().find(|(name, _)| *name == section).map_or("Applications/System", |(_, group)| group)
}
