//! Which licence a text is: compared with the standard texts of the licences that nearly everything vendored has, and with
//! their near relatives, so that one which differs by a clause is not taken for the other.
//!
//! The comparison is askalono's (as the crate `spdx` keeps it): texts are normalised, copyright lines are left out, and the
//! share of common pairs of words decides. Only what is nearly the whole of a licence counts: a text that holds two, or
//! conditions of its own, is none of them.

use std::collections::HashMap;
use std::io;
use std::sync::{LazyLock, Mutex, OnceLock};

use spdx::detection::TextData;

use crate::digest::Sha256;
use crate::package::LicenseFile;

/// The licences that are looked for, the commonest first: of equally good matches the first is taken. The GNU licences'
/// texts do not say whether later versions may be chosen; without that word they may not.
const LICENSES: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "BSD-3-Clause",
    "BSD-2-Clause",
    "ISC",
    "MPL-2.0",
    "PSF-2.0",
    "Python-2.0",
    "Unlicense",
    "Zlib",
    "0BSD",
    "BSL-1.0",
    "CC0-1.0",
    "GPL-2.0-only",
    "GPL-3.0-only",
    "LGPL-2.0-only",
    "LGPL-2.1-only",
    "LGPL-3.0-only",
    "AGPL-3.0-only",
    "MIT-0",
    "MIT-CMU",
    "HPND",
    "JSON",
    "X11",
    "MIT-Modern-Variant",
    "BSD-3-Clause-Clear",
    "BSD-4-Clause",
    "BSD-2-Clause-Patent",
    "BSD-1-Clause",
    "BSD-Source-Code",
    "curl",
    "NCSA",
    "OpenSSL",
    "Unicode-DFS-2016",
    "Unicode-3.0",
    "WTFPL",
    "ZPL-2.1",
    "PostgreSQL",
    "UPL-1.0",
    "BlueOak-1.0.0",
    "CDLA-Permissive-2.0",
    "EPL-2.0",
    "MPL-1.1",
    "Artistic-2.0",
    "OFL-1.1",
    "CC-BY-4.0",
];

/// From here on two texts are the same but for names and layout.
const ENOUGH: f32 = 0.92;
/// What is shorter says nothing, what is longer is more than one licence.
const LENGTHS: std::ops::Range<usize> = 120..60_000;

/// A standard text. Most are far longer or shorter than what is looked at, and need not be prepared, which takes longest.
struct Known {
    name: &'static str,
    words: usize,
    text: &'static str,
    data: OnceLock<TextData>,
}

impl Known {
    fn new(name: &'static str, text: &'static str) -> Self {
        Self { name, words: words(text), text, data: OnceLock::new() }
    }

    fn data(&self) -> &TextData {
        self.data.get_or_init(|| TextData::new(self.text).without_text())
    }

    /// Whether a text of so many words may be this one: a long licence stays much like itself when a short one, or a
    /// condition, is added to it. What has a third of its words has at most half of their pairs in common with it.
    fn has_room_for(&self, words: usize) -> bool {
        words <= self.words + self.words / 50 + 25 && words >= self.words / 3
    }
}

static TEXTS: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let known = LICENSES.iter().filter_map(|name| Some(Known::new(name, spdx::license_id(name)?.text())));
    let mut known: Vec<Known> = known.collect();
    // The list's text of LGPL 3 is followed by that of GPL 3; most projects have only the first part.
    let both = spdx::license_id("LGPL-3.0-only").map(|id| id.text()).unwrap_or_default();
    if let Some((alone, _)) = both.split_once("GNU GENERAL PUBLIC LICENSE\n") {
        known.push(Known::new("LGPL-3.0-only", alone));
    }
    known
});

/// How many words a text has beside its copyright notices.
fn words(text: &str) -> usize {
    let notice = |line: &str| {
        let line = line.trim_start_matches(|character: char| !character.is_alphanumeric() && character != '(');
        ["copyright", "(c)"]
            .iter()
            .any(|start| line.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start)))
    };
    text.lines().filter(|line| !notice(line)).map(|line| line.split_whitespace().count()).sum()
}

/// What has been looked at already: the same few texts come with hundreds of components.
static SEEN: LazyLock<Mutex<HashMap<Sha256, Option<&'static str>>>> = LazyLock::new(Mutex::default);

/// The SPDX identifier of the licence whose text `file` is.
pub(super) fn detect(file: &LicenseFile) -> io::Result<Option<&'static str>> {
    let key = file.content.digests.sha256;
    let lock = |seen: &Mutex<HashMap<_, _>>| seen.lock().map(|seen| seen.get(&key).copied()).unwrap_or_default();
    if let Some(known) = lock(&SEEN) {
        return Ok(known);
    }
    let found = if file.is_cut() { None } else { license_of(&file.text()?) };
    if let Ok(mut seen) = SEEN.lock() {
        seen.insert(key, found);
    }
    Ok(found)
}

/// The SPDX identifier of the licence that `text` is.
pub(super) fn license_of(text: &str) -> Option<&'static str> {
    if !LENGTHS.contains(&text.len()) {
        return None;
    }
    let length = words(text);
    let text = TextData::new(text);
    let mut best: Option<(&'static str, f32)> = None;
    for known in TEXTS.iter().filter(|known| known.has_room_for(length)) {
        let score = known.data().match_score(&text);
        if best.is_none_or(|(_, other)| score > other) {
            best = Some((known.name, score));
        }
    }
    best.filter(|(_, score)| *score >= ENOUGH).map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_standard_text_is_found_to_be_itself() {
        for name in LICENSES {
            let text = spdx::license_id(name).expect("of the list").text();
            let found = license_of(text);
            // The texts of some are those of others.
            let same = matches!((*name, found), ("Python-2.0", Some("PSF-2.0")));
            assert!(found == Some(*name) || same, "{name} is taken for {found:?}");
        }
    }

    #[test]
    fn layout_and_names_do_not_matter_and_conditions_do() {
        let mit = spdx::license_id("MIT").expect("it").text();
        let paragraphs = mit.split("\n\n").map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
        let flowed = paragraphs.collect::<Vec<_>>().join("\r\n\r\n").replace("<year> <copyright holders>", "2019 Jane");
        assert_eq!(license_of(&flowed), Some("MIT"));
        let json = mit.replace("THE SOFTWARE IS", "The Software shall be used for Good, not Evil. THE SOFTWARE IS");
        assert_ne!(license_of(&json), Some("MIT"));
        let apache = spdx::license_id("Apache-2.0").expect("it").text();
        assert_eq!(license_of(&format!("{mit}\n\n{apache}")), None);
        let clause = "The grant of rights under the License will not include, and the License does not grant to you, the \
                      right to Sell the Software. ";
        assert_eq!(license_of(&format!("{}\n\n{apache}", clause.repeat(3))), None);
        let holders = "Copyright (c) 2020 One of very many people who hold something\n".repeat(40);
        assert_eq!(license_of(&format!("{holders}\n{apache}")), Some("Apache-2.0"));
        assert_eq!(license_of("MIT"), None);
        assert_eq!(license_of(&"word ".repeat(20_000)), None);
    }
}
