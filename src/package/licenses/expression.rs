//! Licence expressions (SPDX 2.3, annex D): read from what people write, put together, and spelt for each place.

use std::fmt;

use serde::{Serialize, Serializer};
use spdx::expression::{ExprNode, Operator};
use spdx::{LicenseReq, ParseMode};

/// A licence expression, every licence in it one of the SPDX list or a `LicenseRef-…`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Expression {
    /// One licence, perhaps with an exception.
    License(LicenseReq),
    /// All of them bind. Never fewer than two, none of them `All`.
    All(Vec<Expression>),
    /// Whoever uses it may choose. Never fewer than two, none of them `Any`.
    Any(Vec<Expression>),
}

/// What crates.io took before expressions (`MIT/Apache-2.0`) and what the list of licences has renamed are read; names that
/// could mean several licences (`BSD`, `GPL`) are not.
const MODE: ParseMode = ParseMode {
    allow_slash_as_or_operator: true,
    allow_imprecise_license_names: false,
    allow_postfix_plus_on_gpl: true,
    allow_deprecated: true,
    allow_unknown: false,
};

/// The longest text that is taken for an expression.
const LONGEST: usize = 1000;

/// Names that mean exactly one licence, in small letters, without `the`, `license` and punctuation at their ends.
const NAMES: &[(&str, &str)] = &[
    ("0bsd", "0BSD"),
    ("2-clause bsd", "BSD-2-Clause"),
    ("3-clause bsd", "BSD-3-Clause"),
    ("agplv3", "AGPL-3.0-only"),
    ("agplv3+", "AGPL-3.0-or-later"),
    ("apache 2", "Apache-2.0"),
    ("apache 2.0", "Apache-2.0"),
    ("apache license 2", "Apache-2.0"),
    ("apache license 2.0", "Apache-2.0"),
    ("apache license version 2.0", "Apache-2.0"),
    ("apache software license 2.0", "Apache-2.0"),
    ("apache software license version 2.0", "Apache-2.0"),
    ("apache-2", "Apache-2.0"),
    ("apache2", "Apache-2.0"),
    ("asl 2.0", "Apache-2.0"),
    ("boost software license 1.0", "BSL-1.0"),
    ("bsd 2-clause", "BSD-2-Clause"),
    ("bsd 3-clause", "BSD-3-Clause"),
    ("bsd 3 clause", "BSD-3-Clause"),
    ("bsd-2", "BSD-2-Clause"),
    ("bsd-3", "BSD-3-Clause"),
    ("cc0", "CC0-1.0"),
    ("cc0 1.0", "CC0-1.0"),
    ("expat", "MIT"),
    ("gnu gplv2", "GPL-2.0-only"),
    ("gnu gplv3", "GPL-3.0-only"),
    ("gnu lgplv3", "LGPL-3.0-only"),
    ("gplv2", "GPL-2.0-only"),
    ("gplv2+", "GPL-2.0-or-later"),
    ("gplv3", "GPL-3.0-only"),
    ("gplv3+", "GPL-3.0-or-later"),
    ("hpnd", "HPND"),
    ("isc", "ISC"),
    ("iscl", "ISC"),
    ("lgpl v3 or later", "LGPL-3.0-or-later"),
    ("lgplv2.1", "LGPL-2.1-only"),
    ("lgplv2.1+", "LGPL-2.1-or-later"),
    ("lgplv3", "LGPL-3.0-only"),
    ("lgplv3+", "LGPL-3.0-or-later"),
    ("mit", "MIT"),
    ("mit/x11", "MIT"),
    ("modified bsd", "BSD-3-Clause"),
    ("mozilla public license 2.0", "MPL-2.0"),
    ("mozilla public license 2.0 (mpl 2.0)", "MPL-2.0"),
    ("mozilla public license version 2.0", "MPL-2.0"),
    ("mpl 2.0", "MPL-2.0"),
    ("mpl-2", "MPL-2.0"),
    ("new bsd", "BSD-3-Clause"),
    ("psf", "PSF-2.0"),
    ("psfl", "PSF-2.0"),
    ("psf-2", "PSF-2.0"),
    ("python software foundation", "PSF-2.0"),
    ("revised bsd", "BSD-3-Clause"),
    ("simplified bsd", "BSD-2-Clause"),
    ("unlicense", "Unlicense"),
    ("zlib", "Zlib"),
    ("zpl 2.1", "ZPL-2.1"),
];

impl Expression {
    /// Reads an SPDX expression, one of its older forms, or a name that means exactly one licence; `None` for all else.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() || text.len() > LONGEST || text.contains(['\n', '\r']) {
            return None;
        }
        spdx::Expression::parse_mode(text, MODE).ok().and_then(|read| Self::from_spdx(&read)).or_else(|| named(text))
    }

    /// A licence that is not on the SPDX list, by a name of ours.
    pub fn reference(name: &str) -> Self {
        let mut word = String::new();
        for character in name.trim().chars().take(60) {
            let fits = character.is_ascii_alphanumeric() || character == '.';
            match fits {
                true => word.push(character),
                false if word.ends_with('-') || word.is_empty() => {}
                false => word.push('-'),
            }
        }
        let word = word.trim_end_matches(['-', '.']);
        let lic_ref = if word.is_empty() { "unnamed".to_owned() } else { word.to_owned() };
        let other = spdx::LicenseRef { doc_ref: None, lic_ref };
        Self::License(LicenseReq { license: spdx::LicenseItem::Other(Box::new(other)), addition: None })
    }

    /// The licence of something that holds all of these: each once, the first first, the others in order. `None` of none.
    pub fn all(expressions: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut parts: Vec<Self> = Vec::new();
        let mut seen: Vec<Self> = Vec::new();
        let mut first = 0;
        for expression in expressions {
            let pieces = match expression {
                Self::All(pieces) => pieces,
                other => vec![other],
            };
            for piece in pieces {
                let key = piece.in_order();
                if !seen.contains(&key) {
                    seen.push(key);
                    parts.push(piece);
                }
            }
            if first == 0 {
                first = parts.len();
            }
        }
        if let Some(rest) = parts.get_mut(first..) {
            rest.sort_by_cached_key(ToString::to_string);
        }
        Self::joined(parts, Self::All)
    }

    /// The same with all operands in order: `MIT OR ISC` is `ISC OR MIT`.
    fn in_order(&self) -> Self {
        let sorted = |parts: &[Self]| {
            let mut parts: Vec<Self> = parts.iter().map(Self::in_order).collect();
            parts.sort();
            parts
        };
        match self {
            Self::License(_) => self.clone(),
            Self::All(parts) => Self::All(sorted(parts)),
            Self::Any(parts) => Self::Any(sorted(parts)),
        }
    }

    fn joined(mut parts: Vec<Self>, join: fn(Vec<Self>) -> Self) -> Option<Self> {
        if parts.len() > 1 { Some(join(parts)) } else { parts.pop() }
    }

    fn from_spdx(read: &spdx::Expression) -> Option<Self> {
        let mut stack: Vec<Self> = Vec::new();
        for node in read.iter() {
            let next = match node {
                ExprNode::Req(request) => Self::License(current(request.req.clone())),
                ExprNode::Op(operator) => {
                    let (right, left) = (stack.pop()?, stack.pop()?);
                    let mut parts = Vec::new();
                    for side in [left, right] {
                        match (operator, side) {
                            (Operator::And, Self::All(inner)) | (Operator::Or, Self::Any(inner)) => parts.extend(inner),
                            (_, other) => parts.push(other),
                        }
                    }
                    let mut unique: Vec<Self> = Vec::with_capacity(parts.len());
                    for part in parts {
                        if !unique.contains(&part) {
                            unique.push(part);
                        }
                    }
                    Self::joined(unique, if *operator == Operator::And { Self::All } else { Self::Any })?
                }
            };
            stack.push(next);
        }
        stack.pop().filter(|_| stack.is_empty())
    }

    /// Every licence in it, each once, from left to right.
    pub fn licenses(&self) -> Vec<&LicenseReq> {
        let mut found = Vec::new();
        self.collect(&mut found);
        found
    }

    fn collect<'a>(&'a self, found: &mut Vec<&'a LicenseReq>) {
        match self {
            Self::License(license) if !found.contains(&license) => found.push(license),
            Self::License(_) => {}
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.collect(found)),
        }
    }

    /// Whether it can be met with licences that `allowed` allows.
    pub fn is_met(&self, allowed: &dyn Fn(&LicenseReq) -> bool) -> bool {
        match self {
            Self::License(license) => allowed(license),
            Self::All(parts) => parts.iter().all(|part| part.is_met(allowed)),
            Self::Any(parts) => parts.iter().any(|part| part.is_met(allowed)),
        }
    }

    /// Whether a licence in it is not on the SPDX list.
    pub fn has_reference(&self) -> bool {
        self.licenses().iter().any(|license| license.license.id().is_none())
    }

    /// In the machine-readable format of copyright files (copyright-format 1.0, "License field"): there are no parentheses,
    /// `and` binds more strongly than `or`, and a comma less strongly than both.
    pub fn debian(&self) -> String {
        match self {
            Self::License(license) => debian_name(license),
            Self::Any(parts) if parts.iter().all(Self::is_flat) => {
                parts.iter().map(Self::debian).collect::<Vec<_>>().join(" or ")
            }
            Self::All(parts) if parts.iter().all(Self::is_flat) => {
                let comma = parts.iter().any(|part| matches!(part, Self::Any(_)));
                let parts: Vec<String> = parts.iter().map(Self::debian).collect();
                parts.join(if comma { ", and " } else { " and " })
            }
            // Deeper ones are written as alternatives, which are the same.
            _ => {
                let alternatives = self.alternatives();
                let spelt = alternatives
                    .iter()
                    .map(|all| all.iter().map(|license| debian_name(license)).collect::<Vec<_>>().join(" and "));
                spelt.collect::<Vec<_>>().join(" or ")
            }
        }
    }

    fn is_flat(&self) -> bool {
        match self {
            Self::License(_) => true,
            Self::All(parts) | Self::Any(parts) => parts.iter().all(|part| matches!(part, Self::License(_))),
        }
    }

    /// The sets of licences of which any one suffices. An expression with more of them than anybody would write is taken as
    /// if all of its licences bound, which is never less.
    fn alternatives(&self) -> Vec<Vec<&LicenseReq>> {
        const MOST: usize = 64;
        let found = match self {
            Self::License(license) => vec![vec![license]],
            Self::Any(parts) => parts.iter().flat_map(Self::alternatives).collect(),
            Self::All(parts) => parts.iter().fold(vec![Vec::new()], |sets, part| {
                let more = part.alternatives();
                if sets.len() * more.len() > MOST {
                    return vec![self.licenses()];
                }
                let pairs = sets.iter().flat_map(|set| more.iter().map(move |other| (set, other)));
                pairs.map(|(set, other)| set.iter().chain(other).copied().collect()).collect()
            }),
        };
        if found.len() > MOST { vec![self.licenses()] } else { found }
    }
}

/// How a copyright file calls one licence.
pub(crate) fn debian_name(license: &LicenseReq) -> String {
    match &license.addition {
        None => license.license.to_string(),
        Some(exception) => format!("{} with {exception} exception", license.license),
    }
}

/// The name that the list of licences has now for what it had under another one: `GPL-2.0+` is `GPL-2.0-or-later`.
fn current(mut request: LicenseReq) -> LicenseReq {
    if let spdx::LicenseItem::Spdx { id, or_later } = request.license
        && id.is_gnu()
        && id.is_deprecated()
    {
        let base = id.name.trim_end_matches('+');
        let later = or_later || base.len() < id.name.len();
        let name = format!("{base}-{}", if later { "or-later" } else { "only" });
        if let Some(id) = spdx::license_id(&name) {
            request.license = spdx::LicenseItem::Spdx { id, or_later: false };
        }
    }
    request
}

/// A name of [`NAMES`], or an identifier in letters of other cases.
fn named(text: &str) -> Option<Expression> {
    let small = text.to_ascii_lowercase().replace([',', '"'], "");
    let words: Vec<&str> = small.split_whitespace().collect();
    let mut name = words.join(" ");
    if let Some(rest) = name.strip_prefix("the ") {
        name = rest.to_owned();
    }
    let bare = [" license", " licence"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
    let listed = NAMES.iter().find(|(known, _)| *known == name || *known == bare).map(|(_, id)| *id);
    let id = listed.or_else(|| {
        let mut licenses = spdx::identifiers::LICENSES.iter().map(|license| license.name);
        licenses.find(|known| known.eq_ignore_ascii_case(text) || known.eq_ignore_ascii_case(bare))
    })?;
    spdx::Expression::parse_mode(id, MODE).ok().and_then(|read| Expression::from_spdx(&read))
}

impl fmt::Display for Expression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (parts, operator) = match self {
            Self::License(license) => return write!(formatter, "{license}"),
            Self::All(parts) => (parts, "AND"),
            Self::Any(parts) => (parts, "OR"),
        };
        for (number, part) in parts.iter().enumerate() {
            if number > 0 {
                write!(formatter, " {operator} ")?;
            }
            match part {
                Self::License(license) => write!(formatter, "{license}")?,
                group => write!(formatter, "({group})")?,
            }
        }
        Ok(())
    }
}

impl Serialize for Expression {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        Expression::parse(text).unwrap_or_else(|| panic!("{text:?} must be read")).to_string()
    }

    #[test]
    fn what_people_write_becomes_an_expression_of_the_list() {
        for (text, expected) in [
            ("MIT", "MIT"),
            ("MIT/Apache-2.0", "MIT OR Apache-2.0"),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", "(MIT OR Apache-2.0) AND Unicode-3.0"),
            ("MIT AND (MIT AND ISC)", "MIT AND ISC"),
            ("GPL-2.0", "GPL-2.0-only"),
            ("GPL-2.0+", "GPL-2.0-or-later"),
            ("LGPL-3.0+", "LGPL-3.0-or-later"),
            ("GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0"),
            ("MIT License", "MIT"),
            ("The MIT License", "MIT"),
            ("mit", "MIT"),
            ("bsd-3-clause", "BSD-3-Clause"),
            ("Apache License, Version 2.0", "Apache-2.0"),
            ("BSD 3-Clause License", "BSD-3-Clause"),
            ("LicenseRef-acme", "LicenseRef-acme"),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
        for text in
            ["BSD", "GPL", "see LICENSE", "", "MIT OR", "MIT\nFiles: *", "LGPL with exceptions", &"x".repeat(5000)]
        {
            assert_eq!(Expression::parse(text), None, "{text}");
        }
    }

    #[test]
    fn every_name_means_a_licence_of_the_list() {
        for (name, id) in NAMES {
            assert_eq!(read(name), *id, "{name}");
        }
    }

    #[test]
    fn all_of_several_has_each_once_and_the_first_first() {
        let all = |texts: &[&str]| {
            Expression::all(texts.iter().map(|text| Expression::parse(text).expect(text))).expect("some").to_string()
        };
        assert_eq!(all(&["MIT"]), "MIT");
        assert_eq!(
            all(&["Zlib", "MIT OR Apache-2.0", "BSD-3-Clause AND Zlib", "Apache-2.0 OR MIT", "Apache-2.0"]),
            "Zlib AND Apache-2.0 AND BSD-3-Clause AND (MIT OR Apache-2.0)"
        );
        assert_eq!(Expression::all([]), None);
    }

    #[test]
    fn copyright_files_have_commas_where_expressions_have_parentheses() {
        for (text, expected) in [
            ("MIT OR Apache-2.0", "MIT or Apache-2.0"),
            ("(MIT OR Apache-2.0) AND ISC", "MIT or Apache-2.0, and ISC"),
            ("MIT OR (Apache-2.0 AND ISC)", "MIT or Apache-2.0 and ISC"),
            ("((MIT AND ISC) OR Zlib) AND 0BSD", "MIT and ISC and 0BSD or Zlib and 0BSD"),
            (
                "GPL-2.0-or-later WITH Classpath-exception-2.0",
                "GPL-2.0-or-later with Classpath-exception-2.0 exception",
            ),
        ] {
            assert_eq!(Expression::parse(text).expect(text).debian(), expected);
        }
    }

    #[test]
    fn a_name_of_ours_is_always_a_reference() {
        for (name, expected) in [
            ("certifi", "LicenseRef-certifi"),
            ("Do what\nyou want; Files: *", "LicenseRef-Do-what-you-want-Files"),
            ("", "LicenseRef-unnamed"),
            ("ä\u{202e}/../x", "LicenseRef-..-..-x"),
        ] {
            let reference = Expression::reference(name).to_string();
            assert!(Expression::parse(&reference).is_some(), "{reference}");
            if !name.starts_with('ä') {
                assert_eq!(reference, expected);
            }
        }
    }
}
