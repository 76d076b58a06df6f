//! Debian's revision and RPM's release.

use crate::config::ServiceSettings;
use crate::target::{Distribution, Format};

/// What follows the version in a package of `distribution`. A .deb may go without; an RPM always has one.
pub(super) fn of(settings: &ServiceSettings, distribution: &Distribution) -> String {
    let number = settings.revision.unwrap_or(1).to_string();
    let text = match (settings.release_text.as_deref(), distribution.format) {
        (Some(""), Format::Deb) => return String::new(),
        (Some(text), _) if !text.is_empty() && settings.revision.is_none() => text,
        _ => number.as_str(),
    };
    let suffix = if settings.plain_revision { "" } else { distribution.revision_suffix.as_str() };
    format!("{text}{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::distribution;

    fn both(settings: &ServiceSettings) -> [String; 2] {
        ["debian-12", "el9"].map(|name| of(settings, &distribution(name).expect("a distribution")))
    }

    #[test]
    fn a_revision_carries_its_distribution_unless_it_is_wanted_plain() {
        let mut settings = ServiceSettings::default();
        assert_eq!(both(&settings), ["1~deb12u1", "1.el9"]);
        settings.release_text = Some("1.beta".to_owned());
        assert_eq!(both(&settings), ["1.beta~deb12u1", "1.beta.el9"]);
        settings.plain_revision = true;
        assert_eq!(both(&settings), ["1.beta", "1.beta"]);
        settings.revision = Some(7);
        assert_eq!(both(&settings), ["7", "7"], "what packhouse.toml says goes first");
    }

    #[test]
    fn a_deb_may_go_without_a_revision_and_an_rpm_may_not() {
        let settings = ServiceSettings { release_text: Some(String::new()), ..ServiceSettings::default() };
        assert_eq!(both(&settings), ["", "1.el9"]);
    }
}
