//! The version of a package whose manifest has none, in a wheel whose back end did not know it.

use std::str::FromStr as _;

use super::super::tags::WheelName;
use super::{Error, Order};

/// The version that a back end did not know: it stands in the names of the wheel and its directories, and in METADATA.
pub(super) struct Stamp {
    old: String,
    new: String,
    version: String,
}

impl Stamp {
    /// What setuptools says when nothing tells it a version (`setuptools.dist`, `_infer_version`).
    const NOTHING: &str = "0.0.0";

    /// `None` when the wheel is of the version that it is to be, but for a local part.
    pub(super) fn of(order: Order<'_>, made: &WheelName) -> Result<Option<Self>, Error> {
        let Some(version) = order.version.filter(|_| order.stamp) else { return Ok(None) };
        let parsed = |text: &str| pep440_rs::Version::from_str(&text.replace('_', "-")).ok();
        let (Some(wanted), Some(got)) = (parsed(version), parsed(&made.version)) else { return Ok(None) };
        if got == wanted {
            return Ok(None);
        }
        if made.version == Self::NOTHING {
            return Ok(Some(Self {
                old: format!("{}-{}", made.name, made.version),
                new: format!("{}-{}", made.name, wanted.to_string().replace('-', "_")),
                version: wanted.to_string(),
            }));
        }
        if got.clone().without_local() == wanted.clone().without_local() {
            return Ok(None);
        }
        let (name, got, wanted) = (order.name.to_owned(), got.to_string(), wanted.to_string());
        Err(Error::Version { name, got, wanted })
    }

    /// A path of the wheel, or its file name.
    pub(super) fn path(&self, path: &str) -> String {
        match path.strip_prefix(&self.old) {
            Some(rest) if rest.starts_with(['.', '-']) => format!("{}{rest}", self.new),
            _ => path.to_owned(),
        }
    }

    pub(super) fn metadata(&self, text: &str) -> String {
        let mut done = false;
        text.split_inclusive('\n')
            .map(|line| {
                let field = line.split(':').next().unwrap_or_default();
                let is_version = !done && field.eq_ignore_ascii_case("Version");
                done |= is_version || line.trim_end().is_empty();
                if is_version { format!("Version: {}\n", self.version) } else { line.to_owned() }
            })
            .collect()
    }
}
