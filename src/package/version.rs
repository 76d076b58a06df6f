//! Versions: SemVer and PEP 440 mapped so that both formats sort them as their authors meant, and the formats' own
//! comparisons.
//!
//! Sources: Debian Policy 5.6.12 and dpkg's `lib/dpkg/version.c`; rpm-version(7) and rpm's `rpmio/rpmvercmp.c`;
//! SemVer 2.0.0 section 11; PEP 440.
//!
//! | source | Debian | RPM | RPM before 4.15 |
//! |---|---|---|---|
//! | `1.0.0-rc.1+b7` | `1.0.0~rc.1+b7` | `1.0.0~rc.1^b7` | `1.0.0~rc.1+b7` |
//! | `1.0rc1`, `1.0.dev2` | `1.0~rc1`, `1.0~~dev2` | the same | the same |
//! | `1.0.post1`, `1.0+l.1` | `1.0+post1`, `1.0+local.l.1` | `1.0^post1`, `1.0^local.l.1` | `1.0+post1`, `1.0+local.l.1` |
//! | 3 commits after `1.0.0` | `1.0.0+3.gabc` | `1.0.0^3.gabc` | `1.0.0+git3.gabc` |
//!
//! `^` (after the base, before whatever follows it) came with rpm 4.15. EL 8's 4.14 takes the character for a plain
//! separator and refuses it in packages, so that `+` stands there. What follows it begins with a letter wherever a
//! version with one more number could exist, because rpm sorts letters below digits: `1.0+git3.gabc < 1.0.1`. The
//! snapshots of PEP 440 versions are spelt `^git3.gabc` on every RPM, so that they sort below `^post1`.
//!
//! Two orders cannot be had: SemVer compares `rc10 < rc2` as text and both formats as numbers; rpm sorts digits above
//! letters (`1.0.0-alpha.1 < 1.0.0-alpha.beta` inverts). Comparing with the last published version by the format's own
//! comparison is how a publisher notices.

use std::cmp::Ordering;
use std::str::FromStr;

use crate::diagnostic::{Code, Diagnose, ExitCode, codes};
use crate::package::Version;
use crate::target::Distribution;
use crate::workspace::EcosystemKind;

/// How a source spells its versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// SemVer 2.0.0, and plain dotted numbers of any length.
    SemVer,
    /// PEP 440.
    Pep440,
    /// What both formats take as it is: a version that was written for a package, and not for its source.
    Package,
}

impl Scheme {
    /// The scheme of a language's packages.
    pub fn of(ecosystem: EcosystemKind) -> Self {
        match ecosystem {
            EcosystemKind::Python => Self::Pep440,
            EcosystemKind::Rust => Self::SemVer,
        }
    }
}

/// How far the source is past the tag that gave its version.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Snapshot {
    /// Commits since the tag, counted along first parents, so that it grows with every change of the branch.
    pub count: u64,
    /// The commit's abbreviated name, hexadecimal, without `g`.
    pub commit: String,
}

/// A version that cannot be mapped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// Not a version of its scheme.
    #[error("`{}` is no {} version: {why}", text.escape_debug(), match scheme { Scheme::SemVer => "SemVer", Scheme::Pep440 => "PEP 440", Scheme::Package => "package's" })]
    Invalid {
        /// What was given.
        text: String,
        /// What it was meant to be.
        scheme: Scheme,
        /// The parser's reason.
        why: String,
    },
    /// Longer than file names and indices bear.
    #[error("the version `{}…` is longer than {LONGEST} characters", text.escape_debug())]
    TooLong {
        /// Its beginning.
        text: String,
    },
    /// Beyond what dpkg reads (INT_MAX).
    #[error("the epoch {epoch} is larger than 2147483647")]
    Epoch {
        /// The epoch.
        epoch: u64,
    },
}

impl Diagnose for VersionError {
    fn code(&self) -> &'static Code {
        &codes::INVALID_VERSION
    }

    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Invalid { scheme: Scheme::SemVer, .. } => {
                vec!["write it as MAJOR.MINOR.PATCH, MAJOR.MINOR.PATCH-pre.1 or with +build".to_owned()]
            }
            Self::Invalid { scheme: Scheme::Pep440, .. } => {
                vec!["write it as 1.2.3, 1.2.3rc1, 1.2.3.post1 or 1.2.3.dev4".to_owned()]
            }
            Self::Invalid { scheme: Scheme::Package, .. } => {
                vec!["write a digit first, then letters, digits and `.+~`".to_owned()]
            }
            Self::TooLong { .. } | Self::Epoch { .. } => Vec::new(),
        }
    }
}

const LONGEST: usize = 128;

/// The parts that the spelling of both formats is made of.
struct Parts {
    epoch: u64,
    release: String,
    /// `rc.1`, appended with `~`.
    pre: Option<String>,
    /// Parts that come after the release: `post1`, `local.l.1`, SemVer's build.
    after: Vec<String>,
    /// `dev2`, appended with `~~`: before the parts of `after` when there is no post release.
    dev: Option<String>,
    /// How many of `after` stand before `dev` (a post release's development).
    after_before_dev: usize,
}

/// Maps the version `text` of a source to both formats, for packages of `distribution`.
///
/// `epoch` is the configuration's; when the version brings one itself (PEP 440's `1!2.0`) the larger counts.
pub fn map(
    text: &str,
    scheme: Scheme,
    snapshot: Option<&Snapshot>,
    epoch: u32,
    revision: u32,
    distribution: &Distribution,
) -> Result<Version, VersionError> {
    let parts = parse(text, scheme)?;
    let epoch = parts.epoch.max(u64::from(epoch));
    let epoch = i32::try_from(epoch).ok().and_then(|epoch| u32::try_from(epoch).ok());
    let epoch = epoch.ok_or(VersionError::Epoch { epoch: parts.epoch })?;
    let caret = distribution.rpm.is_none_or(|version| version >= (4, 15));
    let after_rpm = if caret { '^' } else { '+' };
    let git = if caret && scheme == Scheme::SemVer { "" } else { "git" };
    let version = Version {
        epoch,
        debian: spell(&parts, '+', snapshot, ""),
        rpm: spell(&parts, after_rpm, snapshot, git),
        revision: format!("{revision}{}", distribution.revision_suffix),
    };
    if version.debian.len() > LONGEST || version.rpm.len() > LONGEST {
        return Err(VersionError::TooLong { text: text.chars().take(40).collect() });
    }
    Ok(version)
}

/// Whether `text` is a version of `scheme`.
pub fn is_valid(text: &str, scheme: Scheme) -> bool {
    parse(text, scheme).is_ok()
}

fn spell(parts: &Parts, after: char, snapshot: Option<&Snapshot>, git: &str) -> String {
    let mut spelling = parts.release.clone();
    if let Some(pre) = &parts.pre {
        spelling.push('~');
        spelling.push_str(pre);
    }
    for (number, part) in parts.after.iter().enumerate() {
        if number == parts.after_before_dev {
            push_dev(&mut spelling, parts);
        }
        spelling.push(after);
        spelling.push_str(part);
    }
    if parts.after.len() <= parts.after_before_dev {
        push_dev(&mut spelling, parts);
    }
    if let Some(Snapshot { count, commit }) = snapshot {
        spelling.push_str(&format!("{after}{git}{count}.g{commit}"));
    }
    spelling
}

fn push_dev(spelling: &mut String, parts: &Parts) {
    if let Some(dev) = &parts.dev {
        spelling.push_str("~~");
        spelling.push_str(dev);
    }
}

fn parse(text: &str, scheme: Scheme) -> Result<Parts, VersionError> {
    if text.len() > LONGEST {
        return Err(VersionError::TooLong { text: text.chars().take(40).collect() });
    }
    let invalid = |why: String| VersionError::Invalid { text: text.to_owned(), scheme, why };
    match scheme {
        Scheme::SemVer => match semver::Version::parse(text) {
            Ok(version) => Ok(semver_parts(&version)),
            Err(_) if is_dotted_numbers(text) => Ok(Parts {
                epoch: 0,
                release: text.to_owned(),
                pre: None,
                after: Vec::new(),
                dev: None,
                after_before_dev: 0,
            }),
            Err(error) => Err(invalid(error.to_string())),
        },
        Scheme::Package => {
            let good = |byte: u8| byte.is_ascii_alphanumeric() || b".+~".contains(&byte);
            if !text.starts_with(|first: char| first.is_ascii_digit()) || !text.bytes().all(good) {
                return Err(invalid("it has a character that no package's version has".to_owned()));
            }
            Ok(Parts {
                epoch: 0,
                release: text.to_owned(),
                pre: None,
                after: Vec::new(),
                dev: None,
                after_before_dev: 0,
            })
        }
        Scheme::Pep440 => {
            let version = pep440_rs::Version::from_str(text).map_err(|error| invalid(error.to_string()))?;
            Ok(pep440_parts(&version))
        }
    }
}

fn is_dotted_numbers(text: &str) -> bool {
    text.split('.').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

fn semver_parts(version: &semver::Version) -> Parts {
    let dotted = |text: &str| text.replace('-', ".");
    let build = (!version.build.is_empty()).then(|| dotted(version.build.as_str()));
    Parts {
        epoch: 0,
        release: format!("{}.{}.{}", version.major, version.minor, version.patch),
        pre: (!version.pre.is_empty()).then(|| dotted(version.pre.as_str())),
        after: build.into_iter().collect(),
        dev: None,
        after_before_dev: 0,
    }
}

fn pep440_parts(version: &pep440_rs::Version) -> Parts {
    let numbers: Vec<String> = version.release().iter().map(u64::to_string).collect();
    let post = version.post().map(|number| format!("post{number}"));
    let local: Vec<String> = version.local().iter().map(ToString::to_string).collect();
    let after_before_dev = usize::from(post.is_some());
    let local = (!local.is_empty()).then(|| format!("local.{}", local.join(".")));
    Parts {
        epoch: version.epoch(),
        release: numbers.join("."),
        pre: version.pre().map(|pre| pre.to_string()),
        after: post.into_iter().chain(local).collect(),
        dev: version.dev().map(|number| format!("dev{number}")),
        after_before_dev,
    }
}

/// Compares two versions `[epoch:]upstream[-revision]` as dpkg does.
pub fn compare_debian(left: &str, right: &str) -> Ordering {
    let (left_epoch, left_upstream, left_revision) = debian_parts(left);
    let (right_epoch, right_upstream, right_revision) = debian_parts(right);
    compare_numbers(left_epoch.as_bytes(), right_epoch.as_bytes())
        .then_with(|| compare_debian_part(left_upstream.as_bytes(), right_upstream.as_bytes()))
        .then_with(|| compare_debian_part(left_revision.as_bytes(), right_revision.as_bytes()))
}

fn debian_parts(version: &str) -> (&str, &str, &str) {
    let (epoch, rest) = version.split_once(':').unwrap_or(("0", version));
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
    (epoch, upstream, revision)
}

/// dpkg's `order`: `~` sorts before the end, the end before letters, letters before everything else; a digit counts
/// like the end because it begins the numeric part.
fn debian_order(byte: Option<u8>) -> i32 {
    match byte {
        None | Some(b'0'..=b'9') => 0,
        Some(b'~') => -1,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(byte),
        Some(byte) => i32::from(byte) + 256,
    }
}

/// dpkg's `verrevcmp`: alternating parts without digits (by [`debian_order`]) and with (by value).
fn compare_debian_part(mut left: &[u8], mut right: &[u8]) -> Ordering {
    let digit = |text: &[u8]| text.first().is_some_and(u8::is_ascii_digit);
    while !left.is_empty() || !right.is_empty() {
        while (!left.is_empty() && !digit(left)) || (!right.is_empty() && !digit(right)) {
            let order = debian_order(left.first().copied()).cmp(&debian_order(right.first().copied()));
            if order != Ordering::Equal {
                return order;
            }
            left = left.get(1..).unwrap_or_default();
            right = right.get(1..).unwrap_or_default();
        }
        let (left_number, left_rest) = split_while(left, u8::is_ascii_digit);
        let (right_number, right_rest) = split_while(right, u8::is_ascii_digit);
        let order = compare_numbers(left_number, right_number);
        if order != Ordering::Equal {
            return order;
        }
        (left, right) = (left_rest, right_rest);
    }
    Ordering::Equal
}

/// Compares decimal numbers of any length.
fn compare_numbers(left: &[u8], right: &[u8]) -> Ordering {
    let significant = |text| split_while(text, |&byte| byte == b'0').1;
    let (left, right) = (significant(left), significant(right));
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

fn split_while(text: &[u8], test: impl Fn(&u8) -> bool) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(|byte| !test(byte)).unwrap_or(text.len()))
}

/// Compares two versions `[epoch:]version[-release]` as rpm does; a missing release sorts before any.
pub fn compare_rpm(left: &str, right: &str) -> Ordering {
    let (left_epoch, left_version, left_release) = rpm_parts(left);
    let (right_epoch, right_version, right_release) = rpm_parts(right);
    compare_rpm_part(left_epoch.as_bytes(), right_epoch.as_bytes())
        .then_with(|| compare_rpm_part(left_version.as_bytes(), right_version.as_bytes()))
        .then_with(|| match (left_release, right_release) {
            (Some(left), Some(right)) => compare_rpm_part(left.as_bytes(), right.as_bytes()),
            (left, right) => left.is_some().cmp(&right.is_some()),
        })
}

/// rpm's `parseEVR`: an epoch is made of digits only.
fn rpm_parts(version: &str) -> (&str, &str, Option<&str>) {
    let (epoch, rest) = match version.split_once(':') {
        Some((epoch, rest)) if epoch.bytes().all(|byte| byte.is_ascii_digit()) => {
            (if epoch.is_empty() { "0" } else { epoch }, rest)
        }
        _ => ("0", version),
    };
    match rest.rsplit_once('-') {
        Some((version, release)) => (epoch, version, Some(release)),
        None => (epoch, rest, None),
    }
}

/// rpm's `rpmvercmp`: segments of digits or letters, everything else but `~` and `^` being a mere separator.
fn compare_rpm_part(left: &[u8], right: &[u8]) -> Ordering {
    if left == right {
        return Ordering::Equal;
    }
    let separator = |byte: &u8| !byte.is_ascii_alphanumeric() && *byte != b'~' && *byte != b'^';
    let (mut left, mut right) = (left, right);
    while !left.is_empty() || !right.is_empty() {
        left = split_while(left, separator).1;
        right = split_while(right, separator).1;
        match (left.first(), right.first()) {
            (Some(b'~'), Some(b'~')) => {
                left = left.get(1..).unwrap_or_default();
                right = right.get(1..).unwrap_or_default();
                continue;
            }
            (Some(b'~'), _) => return Ordering::Less,
            (_, Some(b'~')) => return Ordering::Greater,
            _ => {}
        }
        match (left.first(), right.first()) {
            (Some(b'^'), Some(b'^')) => {
                left = left.get(1..).unwrap_or_default();
                right = right.get(1..).unwrap_or_default();
                continue;
            }
            (Some(b'^'), None) => return Ordering::Greater,
            (None, Some(b'^')) => return Ordering::Less,
            (Some(b'^'), _) => return Ordering::Less,
            (_, Some(b'^')) => return Ordering::Greater,
            _ => {}
        }
        let (Some(first), Some(_)) = (left.first(), right.first()) else { break };
        let numeric = first.is_ascii_digit();
        let class: fn(&u8) -> bool = if numeric { u8::is_ascii_digit } else { u8::is_ascii_alphabetic };
        let (left_segment, left_rest) = split_while(left, class);
        let (right_segment, right_rest) = split_while(right, class);
        if right_segment.is_empty() {
            return if numeric { Ordering::Greater } else { Ordering::Less };
        }
        let order =
            if numeric { compare_numbers(left_segment, right_segment) } else { left_segment.cmp(right_segment) };
        if order != Ordering::Equal {
            return order;
        }
        (left, right) = (left_rest, right_rest);
    }
    left.is_empty().cmp(&right.is_empty()).reverse()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    use super::*;
    use crate::target::distribution;

    const SEMVER: &[&str] = &[
        "0.9.9",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0-rc.1.1",
        "1.0.0",
        "1.0.0+5",
        "1.0.1-rc.1",
        "1.0.1",
        "1.10.0",
        "2.0.0-rc.1",
        "2.0.0",
    ];

    const PEP440: &[&str] = &[
        "1.0.dev1",
        "1.0.dev2",
        "1.0a1.dev1",
        "1.0a1",
        "1.0a2",
        "1.0b1",
        "1.0rc1.dev3",
        "1.0rc1",
        "1.0rc10",
        "1.0",
        "1.0+abc.5",
        "1.0+abc.10",
        "1.0.post1.dev2",
        "1.0.post1",
        "1.0.post1+abc",
        "1.0.post2",
        "1.0.1.dev1",
        "1.0.1",
        "1.1",
        "1.10",
        "2.0",
        "1!0.1",
    ];

    fn mapped(text: &str, scheme: Scheme, snapshot: Option<&Snapshot>, on: &str) -> Version {
        let distribution = distribution(on).expect("a built-in distribution");
        map(text, scheme, snapshot, 0, 1, &distribution).expect(text)
    }

    fn assert_ascending(versions: &[Version], what: &str) {
        for (number, left) in versions.iter().enumerate() {
            for right in &versions[number + 1..] {
                assert_eq!(
                    compare_debian(&left.debian(), &right.debian()),
                    Ordering::Less,
                    "{what}: {left:?} {right:?}"
                );
                assert_eq!(compare_rpm(&left.rpm(), &right.rpm()), Ordering::Less, "{what}: {left:?} {right:?}");
            }
        }
    }

    #[test]
    fn both_schemes_keep_their_order_in_both_formats_and_on_every_distribution() {
        for distribution in crate::target::distributions() {
            for (scheme, chain) in [(Scheme::SemVer, SEMVER), (Scheme::Pep440, PEP440)] {
                let versions: Vec<_> =
                    chain.iter().map(|text| mapped(text, scheme, None, &distribution.name)).collect();
                assert_ascending(&versions, &distribution.name);
            }
        }
    }

    #[test]
    fn a_snapshot_sorts_after_its_release_and_before_whatever_comes_next() {
        let at = |count: u64| Snapshot { count, commit: "0a1b2c3d".to_owned() };
        for distribution in ["debian-12", "el8", "el9"] {
            let semver = |text, snapshot| mapped(text, Scheme::SemVer, snapshot, distribution);
            let chain = [
                semver("1.0.0-rc.1", None),
                semver("1.0.0-rc.1", Some(&at(4))),
                semver("1.0.0-rc.1.1", None),
                semver("1.0.0", None),
                semver("1.0.0", Some(&at(3))),
                semver("1.0.0", Some(&at(12))),
                semver("1.0.1-rc.1", None),
                semver("1.0.1", None),
            ];
            assert_ascending(&chain, distribution);
            let pep440 = |text, snapshot| mapped(text, Scheme::Pep440, snapshot, distribution);
            let chain = [
                pep440("1.0", None),
                pep440("1.0", Some(&at(3))),
                pep440("1.0", Some(&at(12))),
                pep440("1.0.post1", None),
                pep440("1.0.post1", Some(&at(1))),
                pep440("1.0.1", None),
                pep440("1.0.1", Some(&at(1))),
                pep440("1.0.1.1", None),
            ];
            assert_ascending(&chain, distribution);
        }
    }

    #[test]
    fn spellings_are_the_documented_ones() {
        let snapshot = Snapshot { count: 3, commit: "abc".to_owned() };
        let spelt = |text, scheme, snapshot, distribution| {
            let version = mapped(text, scheme, snapshot, distribution);
            [version.debian(), version.rpm()]
        };
        use Scheme::{Pep440, SemVer};
        assert_eq!(
            spelt("1.0.0-rc.1+b7", SemVer, None, "debian-12"),
            ["1.0.0~rc.1+b7-1~deb12u1", "1.0.0~rc.1^b7-1~deb12u1"]
        );
        assert_eq!(spelt("1!1.0rc1", Pep440, None, "el9"), ["1:1.0~rc1-1.el9", "1:1.0~rc1-1.el9"]);
        assert_eq!(spelt("1.0.post1.dev2", Pep440, None, "el9")[1], "1.0^post1~~dev2-1.el9");
        assert_eq!(spelt("1.0.0", SemVer, Some(&snapshot), "el9"), ["1.0.0+3.gabc-1.el9", "1.0.0^3.gabc-1.el9"]);
        assert_eq!(spelt("1.0.0", SemVer, Some(&snapshot), "el8")[1], "1.0.0+git3.gabc-1.el8");
        assert_eq!(spelt("1.2", SemVer, None, "el9")[1], "1.2-1.el9");
    }

    #[test]
    fn what_is_no_version_is_refused() {
        let debian = distribution("debian-12").expect("built in");
        for text in ["", "v1.0.0", "1.0.0 ", "1.0.0-", "1..0", "1.0.0\n", "$(id)", "1:2", "1.0^git"] {
            assert!(map(text, Scheme::SemVer, None, 0, 1, &debian).is_err(), "{text:?}");
        }
        for text in ["", "abc", "1.0\n-x", "1.0-", "99999999999999!1"] {
            assert!(map(text, Scheme::Pep440, None, 0, 1, &debian).is_err(), "{text:?}");
        }
        let long = format!("1.{}", "0".repeat(300));
        assert!(matches!(map(&long, Scheme::SemVer, None, 0, 1, &debian), Err(VersionError::TooLong { .. })));
    }

    /// Many pairs at once, so that the tool is started once.
    fn pairs(pattern: &str, count: usize) -> Vec<(String, String)> {
        let mut runner = TestRunner::deterministic();
        let strategy = (pattern, pattern);
        let mut pairs: Vec<(String, String)> = (0..count)
            .map(|_| strategy.new_tree(&mut runner).expect("a regular expression that can be generated").current())
            .collect();
        let mapped: Vec<Version> = SEMVER.iter().map(|text| mapped(text, Scheme::SemVer, None, "debian-12")).collect();
        for left in &mapped {
            pairs.extend(mapped.iter().map(|right| (left.debian(), right.debian())));
        }
        pairs
    }

    #[test]
    fn comparing_debian_versions_agrees_with_dpkg() {
        let pairs = pairs("([0-3]:)?[0-3][0-3a-c.+~]{0,6}(-[0-2a-b.+~]{1,3})?", 400);
        let mut script = String::new();
        for (left, right) in &pairs {
            script.push_str(&format!(
                "if dpkg --compare-versions '{left}' lt '{right}'; then echo lt; \
                 elif dpkg --compare-versions '{left}' eq '{right}'; then echo eq; else echo gt; fi\n"
            ));
        }
        let output = Command::new("sh").arg("-c").arg(script).output().expect("sh runs");
        let answers = String::from_utf8(output.stdout).expect("text");
        let answers: Vec<&str> = answers.lines().collect();
        assert_eq!(answers.len(), pairs.len());
        for ((left, right), answer) in pairs.iter().zip(answers) {
            let ours = match compare_debian(left, right) {
                Ordering::Less => "lt",
                Ordering::Equal => "eq",
                Ordering::Greater => "gt",
            };
            assert_eq!(ours, answer, "{left} against {right}");
        }
    }

    #[test]
    fn comparing_rpm_versions_agrees_with_rpm() {
        let pairs = pairs("([0-3]:)?[0-3][0-3a-c._+~^]{0,7}(-[0-2a-b.+~^]{1,3})?", 2000);
        let mut script = String::from("%{lua:");
        for (left, right) in &pairs {
            script.push_str(&format!("print(rpm.vercmp('{left}','{right}')..' ')"));
        }
        script.push('}');
        let output = Command::new("rpm").args(["--eval", &script]).output().expect("rpm runs");
        let answers = String::from_utf8(output.stdout).expect("text");
        let answers: Vec<&str> = answers.split_whitespace().collect();
        assert_eq!(answers.len(), pairs.len(), "{}", String::from_utf8_lossy(&output.stderr));
        for ((left, right), answer) in pairs.iter().zip(answers) {
            let ours = match compare_rpm(left, right) {
                Ordering::Less => "-1",
                Ordering::Equal => "0",
                Ordering::Greater => "1",
            };
            assert_eq!(ours, answer, "{left} against {right}");
        }
    }

    proptest! {
        #[test]
        fn any_text_gives_a_version_or_an_error_and_never_a_character_that_a_format_refuses(text in "\\PC{0,20}|[0-9a-z.+!-]{0,20}") {
            let debian = distribution("debian-12").expect("built in");
            for scheme in [Scheme::SemVer, Scheme::Pep440] {
                if let Ok(version) = map(&text, scheme, None, 0, 1, &debian) {
                    prop_assert!(version.debian.starts_with(|first: char| first.is_ascii_digit()));
                    prop_assert!(version.debian.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".+~".contains(&byte)));
                    prop_assert!(version.rpm.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".+~^_".contains(&byte)));
                }
            }
        }
    }
}
