//! debian/control, debian/copyright and debian/changelog as people write them (deb822(5), deb-src-control(5),
//! deb-changelog(5)): with comments, several stanzas, substitution variables.
//!
//! A control file that dpkg would refuse does not come here: what is read has built packages. So what is no field is
//! passed over, and nothing is an error.

/// A paragraph of fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Stanza(Vec<(String, String)>);

impl Stanza {
    /// The value of a field, its name compared without case; continuation lines keep their line breaks and blanks.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(present, _)| present.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str()).filter(|value| !value.trim().is_empty())
    }

    /// The names of all fields.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The comma-separated parts of a field, each on one line.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        let value = self.get(name).unwrap_or_default();
        let parts = value.split(',').map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
        parts.filter(|part| !part.is_empty()).collect()
    }
}

/// The stanzas of a control file.
pub(super) fn parse(text: &str) -> Vec<Stanza> {
    let mut stanzas = vec![Stanza::default()];
    for line in text.lines() {
        if line.starts_with('#') {
            continue;
        }
        if line.trim().is_empty() {
            stanzas.push(Stanza::default());
            continue;
        }
        let Some(Stanza(fields)) = stanzas.last_mut() else { break };
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push('\n');
                value.push_str(line);
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.trim().to_owned(), value.trim().to_owned()));
        }
    }
    stanzas.retain(|Stanza(fields)| !fields.is_empty());
    stanzas
}

/// Synopsis and long text of a `Description`, the latter as plain lines: paragraphs are divided by empty lines.
pub(super) fn description(value: &str) -> (String, Option<String>) {
    let mut lines = value.lines();
    let synopsis = lines.next().unwrap_or_default().trim().to_owned();
    // Deeper lines are verbatim, and the one space of the others is the field's.
    let long: Vec<&str> = lines
        .map(|line| match line.trim() {
            "." => "",
            _ => line.get(1..).unwrap_or_default().trim_end(),
        })
        .collect();
    let long = long.join("\n").trim_matches('\n').to_owned();
    (synopsis, (!long.trim().is_empty()).then_some(long))
}

/// The newest entry of a changelog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Release {
    /// The version's epoch.
    pub(super) epoch: Option<u32>,
    /// Its upstream part.
    pub(super) upstream: String,
    /// Its revision; `None` for a native package.
    pub(super) revision: Option<String>,
    /// The distribution it is for.
    pub(super) distribution: String,
    /// Who released it.
    pub(super) author: Option<String>,
}

/// Reads the newest entry.
pub(super) fn newest(changelog: &str) -> Option<Release> {
    let mut lines = changelog.lines().skip_while(|line| line.trim().is_empty() || line.starts_with('#'));
    let (_, rest) = lines.next()?.split_once('(')?;
    let (version, rest) = rest.split_once(')')?;
    let distribution = rest.split(';').next()?.split_whitespace().next()?.to_owned();
    let author = lines.take_while(|line| line.is_empty() || line.starts_with(' ')).find_map(|line| {
        let (person, _) = line.strip_prefix(" -- ")?.split_once("  ")?;
        Some(person.trim().to_owned())
    });
    let (epoch, rest) = match version.trim().split_once(':') {
        Some((epoch, rest)) => (epoch.parse().ok(), rest),
        None => (None, version.trim()),
    };
    let (upstream, revision) = match rest.rsplit_once('-') {
        Some((upstream, revision)) => (upstream, Some(revision.to_owned())),
        None => (rest, None),
    };
    Some(Release { epoch, upstream: upstream.to_owned(), revision, distribution, author })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_stand_anywhere_and_fields_go_on_below() {
        let text =
            "# all\nSource: shop\n\n\nPackage: shop\nDepends: a (>= 1),\n# not this one\n b | c ,\n\t${misc:Depends}\n";
        let stanzas = parse(text);
        assert_eq!(stanzas.len(), 2);
        assert_eq!(stanzas[0].get("source"), Some("shop"));
        assert_eq!(stanzas[1].list("Depends"), ["a (>= 1)", "b | c", "${misc:Depends}"]);
        assert_eq!(stanzas[1].list("Recommends"), [""; 0]);
    }

    #[test]
    fn a_description_is_a_synopsis_and_paragraphs() {
        let (synopsis, long) = description("A shop\n This one\n is long.\n .\n  verbatim\n");
        assert_eq!(synopsis, "A shop");
        assert_eq!(long.as_deref(), Some("This one\nis long.\n\n verbatim"));
        assert_eq!(description("A shop").1, None);
    }

    #[test]
    fn the_newest_release_is_the_first() {
        let text = "shop (1:2.0~rc1-3) bookworm; urgency=medium\n\n  * Change.\n\n -- Jo Doe <jo@x.example>  Mon, 02 Mar 2026 09:00:00 +0000\n\n\
                    shop (1.0) unstable; urgency=low\n";
        let release = newest(text).unwrap();
        assert_eq!(
            (release.epoch, release.upstream.as_str(), release.revision.as_deref()),
            (Some(1), "2.0~rc1", Some("3"))
        );
        assert_eq!(
            (release.distribution.as_str(), release.author.as_deref()),
            ("bookworm", Some("Jo Doe <jo@x.example>"))
        );
        assert_eq!(newest("shop (1.0) UNRELEASED; urgency=low\n").unwrap().revision, None);
        assert_eq!(newest("nothing"), None);
    }
}
