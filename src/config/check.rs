//! `[services.NAME.check]`: what `packhouse check` finds and the service means all the same.

use globset::GlobBuilder;

use super::error::Error;
use super::reader::Reader;
use super::suggest::closest;
use super::value;
use crate::check::{Allow, find, rules};

/// `[services.NAME.check]`.
#[derive(Debug, Clone, Default)]
pub struct CheckSettings {
    /// Findings that are meant, each with its reason.
    pub allow: Vec<AllowSettings>,
}

super::layer::layer!(CheckSettings { allow });

/// One exception.
#[derive(Debug, Clone)]
pub struct AllowSettings {
    /// The rule and the files.
    pub allow: Allow,
    /// Why it is meant; for those who read the configuration.
    pub reason: String,
}

impl CheckSettings {
    /// The exceptions as `check` takes them.
    pub fn allows(&self) -> Vec<Allow> {
        self.allow.iter().map(|one| one.allow.clone()).collect()
    }
}

/// The table `check` of `[services.NAME]`.
pub(super) fn check(table: &Reader<'_>) -> Result<CheckSettings, Error> {
    let Some(table) = table.table("check")? else { return Ok(CheckSettings::default()) };
    let mut allow = Vec::new();
    for entry in table.array("allow")? {
        let code = entry.string("code")?.ok_or_else(|| entry.missing("code", "code = \"setuid-file\""))?;
        if find(code.as_str()).is_none() {
            let hint = match closest(code.as_str(), rules().map(|rule| rule.code)) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => "`packhouse explain` lists all codes".to_owned(),
            };
            return Err(code.error(format!("no check has the code `{}`", code.as_str()), Some(hint)));
        }
        let path = entry.string("path")?.map(|text| {
            text.parse(
                |path| {
                    value::one_line(path)?;
                    if !path.starts_with('/') {
                        return Err(format!("`{path}` is no path of an installed file: it must begin with `/`"));
                    }
                    let glob = GlobBuilder::new(path).literal_separator(true).build();
                    glob.map(|glob| glob.compile_matcher()).map_err(|error| error.kind().to_string())
                },
                "",
            )
        });
        let path = path.transpose()?;
        let example = "reason = \"the helper must bind to a port below 1024\"";
        let reason = entry.string("reason")?.ok_or_else(|| entry.missing("reason", example))?;
        let reason = reason.checked(value::one_line, "say in one line why this is right here")?;
        allow.push(AllowSettings { allow: Allow { code: code.as_str().to_owned(), path }, reason });
        entry.finish()?;
    }
    table.finish()?;
    Ok(CheckSettings { allow })
}
