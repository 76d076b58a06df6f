//! What a build cannot learn from the last published package when it has none at hand.

use super::error::Error;
use super::reader::Reader;
use super::value;
use crate::tree::InstallPath;

/// One entry of `removed-config` of `[services.NAME]`: a conffile that earlier versions had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovedConfig {
    /// Where it was installed.
    pub path: InstallPath,
    /// The first version of the package that came without it.
    pub version: String,
}

/// `removed-config` of `[services.NAME]`.
pub(super) fn removed_config(table: &Reader<'_>) -> Result<Vec<RemovedConfig>, Error> {
    let mut all: Vec<RemovedConfig> = Vec::new();
    for entry in table.array("removed-config")? {
        let example = "removed-config = [{ path = \"/etc/acme/old.toml\", version = \"1.2.0\" }]";
        let path = entry.string("path")?.ok_or_else(|| entry.missing("path", example))?;
        let parsed = path.parse(conffile, "name the path on the installed system")?;
        if all.iter().any(|other| other.path == parsed) {
            return Err(path.error(format!("`{parsed}` stands here twice"), None));
        }
        let version = entry.string("version")?.ok_or_else(|| entry.missing("version", example))?;
        let version = version.checked(version_of_debian, "write the first version that came without it")?;
        entry.finish()?;
        all.push(RemovedConfig { path: parsed, version });
    }
    Ok(all)
}

fn conffile(text: &str) -> Result<InstallPath, value::Rule> {
    let path = InstallPath::parse(text).map_err(|invalid| invalid.to_string())?;
    if path.as_str().starts_with("/etc/") { Ok(path) } else { Err(format!("`{text}` is not below /etc")) }
}

/// `[epoch:]upstream[-revision]` (Policy 5.6.12).
fn version_of_debian(text: &str) -> Result<(), value::Rule> {
    let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
    let good = epoch.parse::<u32>().is_ok()
        && rest.starts_with(|first: char| first.is_ascii_digit())
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".+~-".contains(&byte))
        && text.len() <= 100;
    if good { Ok(()) } else { Err(format!("`{text}` is no version of a Debian package")) }
}
