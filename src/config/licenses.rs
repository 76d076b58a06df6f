//! `[licenses]`: which licences may be in a package, and what is known of those that their metadata do not tell.

use spdx::Licensee;

use super::error::Error;
use super::reader::{Reader, Text};
use super::value;
use crate::digest::Sha256;
use crate::name::normalize;

/// The policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LicensePolicy {
    /// The licences that everything must be to be had under; `None` allows all, known or not.
    pub allow: Option<Vec<Licensee>>,
    /// Further licences for single components.
    pub exceptions: Vec<LicenseException>,
    /// What a person found out.
    pub clarify: Vec<Clarification>,
}

/// `exceptions = [{ name = "certifi", allow = ["MPL-2.0"] }]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LicenseException {
    /// The component, by its normalised name.
    pub name: String,
    /// What it may be under.
    pub allow: Vec<Licensee>,
}

/// `[[licenses.clarify]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clarification {
    /// The component, by its normalised name.
    pub name: String,
    /// Its version; `None` for all.
    pub version: Option<String>,
    /// Its licence: an SPDX expression.
    pub expression: String,
    /// The licence file that was read; another text calls for another look.
    pub sha256: Option<Sha256>,
}

impl LicenseException {
    /// Whether it is for the component of this name.
    pub fn is_for(&self, name: &str) -> bool {
        self.name == normalize(name)
    }
}

impl Clarification {
    /// Whether it is for this component.
    pub fn is_for(&self, name: &str, version: &str) -> bool {
        self.name == normalize(name) && self.version.as_deref().is_none_or(|only| only == version)
    }
}

const ALLOWED: &str = "write an identifier of https://spdx.org/licenses, like `MIT`, or a `LicenseRef-…`";

/// `[licenses]`.
pub(super) fn licenses(reader: &Reader<'_>) -> Result<LicensePolicy, Error> {
    let Some(table) = reader.table("licenses")? else { return Ok(LicensePolicy::default()) };
    let allow = table.strings("allow")?.map(|texts| licensees(&texts)).transpose()?;
    let mut exceptions: Vec<LicenseException> = Vec::new();
    for entry in table.array("exceptions")? {
        let (text, name) = component(&entry)?;
        if exceptions.iter().any(|other| other.name == name) {
            return Err(text.error(format!("`{name}` has an exception already"), None));
        }
        let allow = entry.strings("allow")?.ok_or_else(|| entry.missing("allow", "allow = [\"MPL-2.0\"]"))?;
        exceptions.push(LicenseException { name, allow: licensees(&allow)? });
        entry.finish()?;
    }
    if allow.is_none() && !exceptions.is_empty() {
        let hint = "say in `allow` which licences everything else may have".to_owned();
        return Err(table.problem("exceptions", "are exceptions to nothing", Some(hint)));
    }
    let mut clarify: Vec<Clarification> = Vec::new();
    for entry in table.array("clarify")? {
        let (text, name) = component(&entry)?;
        let version = entry.string("version")?.map(|text| text.checked(value::one_line, "")).transpose()?;
        let twice =
            |other: &&Clarification| other.name == name && (other.version.is_none() || other.version == version);
        if clarify.iter().find(twice).is_some() {
            return Err(text.error(format!("`{name}` is clarified already"), None));
        }
        let expression = entry.string("expression")?;
        let expression = expression.ok_or_else(|| entry.missing("expression", "expression = \"BSD-3-Clause\""))?;
        let sha256 = entry.string("sha256")?;
        let sha256 = sha256.map(|text| text.parse(str::parse, "write the output of `sha256sum FILE`")).transpose()?;
        clarify.push(Clarification { name, version, expression: expression.checked(valid, ALLOWED)?, sha256 });
        entry.finish()?;
    }
    table.finish()?;
    Ok(LicensePolicy { allow, exceptions, clarify })
}

fn component<'a>(entry: &Reader<'a>) -> Result<(Text<'a>, String), Error> {
    let text = entry.string("name")?.ok_or_else(|| entry.missing("name", "name = \"certifi\""))?;
    let name = text.parse(|text| value::python_name(text).map(|()| normalize(text)), "")?;
    Ok((text, name))
}

fn licensees(texts: &[Text<'_>]) -> Result<Vec<Licensee>, Error> {
    let licensee = |text: &str| {
        value::one_line(text)?;
        Licensee::parse(text).map_err(|error| format!("`{text}`: {}", error.reason))
    };
    texts.iter().map(|text| text.parse(licensee, ALLOWED)).collect()
}

/// An SPDX expression whose identifiers exist.
pub(super) fn valid(text: &str) -> Result<(), value::Rule> {
    value::spdx(text)?;
    spdx::Expression::parse(text).map(|_| ()).map_err(|error| format!("`{text}`: {}", error.reason))
}
