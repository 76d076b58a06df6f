//! What one requirement of a line is: a name, a directory or an archive at a URL.
//!
//! Sources: PEP 508, and `parse_req_from_line` of pip's `constructors.py`: something with a `/` or a leading `.` is a
//! path, something with `://` a URL, the rest must be PEP 508.

use std::ops::Range;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use pep508_rs::{MarkerTree, MarkerWarningKind};
use percent_encoding::percent_decode_str;
use url::Url;

use super::super::project::RequirementLine;
use super::super::source::{Error, Source};
use super::{PathRequirement, Requirement, UrlRequirement};
use crate::digest::Sha256;

/// The longest requirement, in bytes; the deepest nesting of brackets in it.
const LENGTH_LIMIT: usize = 16 * 1024;
const DEPTH_LIMIT: usize = 32;

/// Endings of archives that can be unpacked (pip's `ARCHIVE_EXTENSIONS`).
pub(in crate::ecosystem::python) const ARCHIVE_ENDINGS: &[&str] =
    &[".whl", ".zip", ".tar.gz", ".tgz", ".tar", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tar.zst", ".tar.lzma"];

const VCS_HINTS: &[&str] = &[
    "name an archive of the commit instead: `name @ https://…/archive/<commit>.tar.gz`",
    "or make it a git submodule and name its directory",
];

/// Where a requirement stands.
#[derive(Debug, Clone)]
pub(in crate::ecosystem::python) struct Place<'a> {
    /// The file.
    pub(in crate::ecosystem::python) source: &'a Source,
    /// Line in it, from 1.
    pub(in crate::ecosystem::python) line: usize,
    /// The requirement in the file's text.
    pub(in crate::ecosystem::python) span: Range<usize>,
    /// What relative paths are relative to; absolute.
    pub(in crate::ecosystem::python) base: &'a Path,
}

impl Place<'_> {
    /// An error about all of it.
    pub(in crate::ecosystem::python) fn error(&self, message: impl Into<String>, hints: &[&str]) -> Error {
        self.source.error(self.span.clone(), message, hints)
    }

    /// An error about a part: `from` and `length` count bytes of the requirement's text.
    fn error_at(&self, from: usize, length: usize, message: impl Into<String>, hints: &[&str]) -> Error {
        let start = (self.span.start + from).min(self.span.end);
        let end = (start + length.max(1)).min(self.span.end.max(start));
        self.source.error(start..end, message, hints)
    }
}

/// Reads `text` as a requirement that may be of any kind.
pub(in crate::ecosystem::python) fn classify(
    text: &str,
    sha256: Vec<Sha256>,
    place: &Place<'_>,
) -> Result<Requirement, Error> {
    check_bounds(text, place)?;
    if let Some((name, extras, location)) = split_direct(text) {
        let (location, marker) = split_marker(location, true);
        let marker = parse_marker(marker, place)?;
        let direct = Direct { name: Some(name.to_owned()), extras: parse_extras(extras), marker, sha256 };
        if location.starts_with('.') || location.starts_with('/') {
            return local(location, direct, false, place);
        }
        return remote(location, direct, false, place);
    }
    let is_url = has_scheme(text);
    let (location, marker) = split_marker(text, is_url);
    if !is_url && !location.contains('/') && !location.starts_with('.') {
        return named(text, sha256, place);
    }
    let (location, extras) = split_extras(location);
    let marker = parse_marker(marker, place)?;
    let direct = Direct { name: None, extras: parse_extras(extras), marker, sha256 };
    if is_url { remote(location, direct, false, place) } else { local(location, direct, false, place) }
}

/// Whether `text` is `name @ location`.
pub(in crate::ecosystem::python) fn has_direct_reference(text: &str) -> bool {
    split_direct(text).is_some()
}

/// Reads the value of `-e`.
pub(in crate::ecosystem::python) fn editable(text: &str, place: &Place<'_>) -> Result<Requirement, Error> {
    check_bounds(text, place)?;
    let is_url = has_scheme(text);
    let (location, marker) = split_marker(text, is_url);
    let (location, extras) = split_extras(location);
    let direct =
        Direct { name: None, extras: parse_extras(extras), marker: parse_marker(marker, place)?, sha256: Vec::new() };
    if !is_url {
        return local(location, direct, true, place);
    }
    remote(location, direct, true, place)
}

/// Checks `text` against PEP 508 and gives it back as it is written, trimmed.
pub(in crate::ecosystem::python) fn check_pep508(
    text: &str,
    place: &Place<'_>,
) -> Result<pep508_rs::Requirement<Url>, Error> {
    check_bounds(text, place)?;
    check_name_ends(text, place)?;
    let mut doubts = Vec::new();
    let mut reporter = |kind, warning: String| {
        if is_grave(kind) {
            doubts.push(warning);
        }
    };
    let parsed = pep508_rs::Requirement::<Url>::parse_reporter(text, place.base, &mut reporter).map_err(|error| {
        let message = format!("`{text}` is no requirement by PEP 508: {}", one_line(&error.message.to_string()));
        place.error_at(error.start, error.len, message, &[])
    })?;
    match doubts.first() {
        Some(doubt) => Err(place.error(format!("a marker that cannot be evaluated: {}", one_line(doubt)), &[])),
        None => Ok(parsed),
    }
}

/// A requirement of PEP 508 that some tool has written; `None` for what is none.
pub(in crate::ecosystem::python) fn parse_plain(text: &str) -> Option<pep508_rs::Requirement<pep508_rs::VerbatimUrl>> {
    let bounded = text.len() <= LENGTH_LIMIT && text.matches(['(', '[']).count() <= DEPTH_LIMIT;
    (bounded && bad_name_end(text).is_none()).then(|| text.parse().ok()).flatten()
}

fn check_name_ends(text: &str, place: &Place<'_>) -> Result<(), Error> {
    let Some(at) = bad_name_end(text) else { return Ok(()) };
    let message = format!("`{text}`: a name must end in a letter or a digit");
    Err(place.error_at(at, 1, message, &[]))
}

/// Where the name or an extra ends in something else than a letter or digit. The parser's own check of it is a panic, so
/// it comes first here.
fn bad_name_end(text: &str) -> Option<usize> {
    let mut inside = false;
    let mut previous = ' ';
    for (at, character) in text.char_indices().chain([(text.len(), ' ')]) {
        let goes_on = character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-');
        if matches!(previous, '.' | '_' | '-') && !goes_on {
            return Some(at.saturating_sub(1));
        }
        match character {
            '[' => inside = true,
            ']' => inside = false,
            ';' | '<' | '>' | '=' | '!' | '~' | '(' | '@' if !inside => break,
            _ => {}
        }
        previous = character;
    }
    None
}

/// Warnings after which the marker parser has left a part of the marker out.
fn is_grave(kind: MarkerWarningKind) -> bool {
    !matches!(kind, MarkerWarningKind::DeprecatedMarkerName | MarkerWarningKind::LexicographicComparison)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What stands around a path or a URL.
struct Direct {
    name: Option<String>,
    extras: Vec<String>,
    marker: Option<String>,
    sha256: Vec<Sha256>,
}

fn named(text: &str, sha256: Vec<Sha256>, place: &Place<'_>) -> Result<Requirement, Error> {
    let parsed = check_pep508(text, place).map_err(|error| match error {
        Error::Invalid { message, location, mut hints } => {
            if ARCHIVE_ENDINGS.iter().any(|ending| text.ends_with(ending)) {
                hints.push(
                    "an archive in the repository is not taken: name its URL, or unpack it into a directory".into(),
                );
            } else if text.split_whitespace().count() > 1 && !text.contains([';', '<', '>', '=', '~', '!', '(']) {
                hints.push("one requirement a line".into());
            }
            Error::Invalid { message, location, hints }
        }
        other => other,
    })?;
    if let Some(pep508_rs::VersionOrUrl::Url(_)) = parsed.version_or_url {
        return Err(place.error(format!("`{text}`: a URL in an unusual place"), &["write `name @ URL`"]));
    }
    let (file, line) = (place.source.path.clone(), place.line);
    Ok(Requirement::Named(RequirementLine { requirement: text.trim().to_owned(), sha256, file, line }))
}

fn local(location: &str, direct: Direct, editable: bool, place: &Place<'_>) -> Result<Requirement, Error> {
    if !direct.sha256.is_empty() {
        return Err(place.error("a directory has no hash", &["remove `--hash`"]));
    }
    let (location, fragment) = match location.split_once('#') {
        Some((location, fragment)) => (location, Some(fragment)),
        None => (location, None),
    };
    let mut name = direct.name;
    for part in fragment.unwrap_or_default().split('&').filter(|part| !part.is_empty()) {
        match part.split_once('=') {
            Some(("egg", egg)) => name = name.or_else(|| Some(split_extras(egg).0.to_owned())),
            _ => return Err(place.error(format!("`#{part}` means nothing for a directory"), &[])),
        }
    }
    if ARCHIVE_ENDINGS.iter().any(|ending| location.ends_with(ending)) {
        return Err(place.error(
            format!("`{location}` is an archive in the repository, which has no place in a lock"),
            &["name its URL instead, or unpack it into a directory of the repository"],
        ));
    }
    Ok(Requirement::Path(PathRequirement {
        name,
        extras: direct.extras,
        marker: direct.marker,
        path: join_normalised(place.base, Path::new(location)),
        editable,
        file: place.source.path.clone(),
        line: place.line,
    }))
}

fn remote(location: &str, direct: Direct, editable: bool, place: &Place<'_>) -> Result<Requirement, Error> {
    let scheme = location.split(':').next().unwrap_or_default().to_ascii_lowercase();
    if scheme.contains('+') || scheme == "git" || scheme == "ssh" {
        let message = format!("`{location}` names a version control repository, whose content is not fixed by a hash");
        return Err(place.error(message, VCS_HINTS));
    }
    if scheme == "file" {
        let path = file_url_path(location)
            .ok_or_else(|| place.error(format!("`{location}` is no URL of a local directory"), &[]))?;
        return local(&path, direct, editable, place);
    }
    if editable {
        return Err(place.error(format!("`-e {location}`: only a directory can be editable"), &["remove `-e`"]));
    }
    let (url, parts) = archive_url(location, place)?;
    let mut sha256 = direct.sha256;
    sha256.extend(parts.sha256);
    Ok(Requirement::Url(UrlRequirement {
        name: direct.name.or(parts.egg),
        extras: direct.extras,
        marker: direct.marker,
        url,
        sha256,
        file: place.source.path.clone(),
        line: place.line,
    }))
}

/// What the fragment of an archive's URL says.
#[derive(Debug, Default)]
pub(in crate::ecosystem::python) struct Fragment {
    /// `#sha256=`.
    pub(in crate::ecosystem::python) sha256: Option<Sha256>,
    /// `#egg=`.
    pub(in crate::ecosystem::python) egg: Option<String>,
}

/// Checks the URL of an archive; gives it without its fragment, and what the fragment says.
pub(in crate::ecosystem::python) fn archive_url(
    location: &str,
    place: &Place<'_>,
) -> Result<(String, Fragment), Error> {
    let mut url = Url::parse(location)
        .map_err(|error| place.error(format!("`{location}` is neither a URL nor a path: {error}"), &[]))?;
    let host = url.host_str().unwrap_or_default().to_owned();
    let is_loopback = matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]");
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback) {
        return Err(place.error(
            format!("`{}` is not taken: an archive must come over https", url.scheme()),
            &["name an https URL of the archive"],
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let hint = "remove them; netrc, a keyring or the index's own variables hold credentials";
        return Err(place.error("a URL with credentials in it, which must not come into a lock", &[hint]));
    }
    if !ARCHIVE_ENDINGS.iter().any(|ending| url.path().to_ascii_lowercase().ends_with(ending)) {
        let endings = ARCHIVE_ENDINGS.join(", ");
        return Err(place.error(format!("the URL does not end like an archive ({endings})"), &[]));
    }
    let mut parts = Fragment::default();
    let fragment = url.fragment().unwrap_or_default().to_owned();
    url.set_fragment(None);
    for part in fragment.split('&').filter(|part| !part.is_empty()) {
        match part.split_once('=') {
            Some(("sha256", digest)) => parts.sha256 = Some(parse_digest(digest, place)?),
            Some(("egg", egg)) => parts.egg = Some(split_extras(egg).0.to_owned()),
            Some(("subdirectory", _)) => {
                let hint = "publish the subdirectory as an archive of its own, or add the project as a submodule";
                return Err(place.error("`#subdirectory=` is not understood", &[hint]));
            }
            Some((weak @ ("md5" | "sha1" | "sha224" | "sha384" | "sha512"), _)) => {
                return Err(place.error(format!("`#{weak}=`: the lock needs SHA-256"), &["give `#sha256=…`"]));
            }
            _ => return Err(place.error(format!("`#{part}` is not understood"), &["`#sha256=…` is"])),
        }
    }
    Ok((url.to_string(), parts))
}

/// Reads the value of `--hash`.
pub(in crate::ecosystem::python) fn parse_hash(value: &str, place: &Place<'_>) -> Result<Sha256, Error> {
    match value.split_once(':') {
        Some(("sha256", digest)) => parse_digest(digest, place),
        Some((algorithm, _)) => Err(place.error(
            format!("`--hash={algorithm}:…`: the lock needs SHA-256"),
            &["give `--hash=sha256:…` (`pip hash FILE` prints it)"],
        )),
        None => Err(place.error(format!("`{value}` is no hash"), &["write `--hash=sha256:…`"])),
    }
}

fn parse_digest(text: &str, place: &Place<'_>) -> Result<Sha256, Error> {
    text.to_ascii_lowercase()
        .parse()
        .map_err(|_| place.error(format!("`{text}` is no SHA-256 digest"), &["a digest has 64 hexadecimal digits"]))
}

/// Refuses what would make a parser slow or its stack deep.
fn check_bounds(text: &str, place: &Place<'_>) -> Result<(), Error> {
    let mut depth: usize = 0;
    let mut deepest = 0;
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    if text.len() > LENGTH_LIMIT || deepest > DEPTH_LIMIT {
        let message = format!("a requirement of more than {LENGTH_LIMIT} bytes or {DEPTH_LIMIT} nested brackets");
        return Err(place.error(message, &[]));
    }
    Ok(())
}

/// `name[extras] @ location` in three.
fn split_direct(text: &str) -> Option<(&str, &str, &str)> {
    let (before, location) = text.split_once('@')?;
    let (name, extras) = split_extras(before.trim());
    let name = name.trim();
    let good = !name.is_empty()
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    good.then(|| (name, extras, location.trim()))
}

/// The marker after `;`. In a URL the `;` counts only next to white space (PEP 508 wants it before; pip after).
fn split_marker(text: &str, is_url: bool) -> (&str, Option<&str>) {
    let cut = text.char_indices().find(|&(at, character)| {
        character == ';'
            && (!is_url
                || text.get(..at).is_some_and(|before| before.ends_with(char::is_whitespace))
                || text.get(at + 1..).is_some_and(|after| after.starts_with(char::is_whitespace)))
    });
    match cut.and_then(|(at, _)| text.split_at_checked(at)) {
        Some((before, marker)) => (before.trim(), Some(marker.trim_start_matches(';').trim())),
        None => (text.trim(), None),
    }
}

fn parse_marker(marker: Option<&str>, place: &Place<'_>) -> Result<Option<String>, Error> {
    let Some(marker) = marker else { return Ok(None) };
    // Checked as part of a requirement: that is the way on which the parser's doubts are heard.
    MarkerTree::from_str(marker)
        .map_err(|error| place.error(format!("`{marker}` is no marker: {}", one_line(&error.message.to_string())), &[]))
        .and_then(|_| check_pep508(&format!("name ; {marker}"), place))?;
    Ok(Some(marker.to_owned()))
}

/// `location[a,b]` in two.
fn split_extras(text: &str) -> (&str, &str) {
    let text = text.trim();
    match text.strip_suffix(']').and_then(|inner| inner.rsplit_once('[')) {
        Some((before, extras)) if !before.is_empty() => (before.trim_end(), extras),
        _ => (text, ""),
    }
}

fn parse_extras(extras: &str) -> Vec<String> {
    extras.split(',').map(str::trim).filter(|extra| !extra.is_empty()).map(crate::name::normalize).collect()
}

fn has_scheme(text: &str) -> bool {
    let scheme = text.split(':').next().unwrap_or_default();
    let rest = text.get(scheme.len()..).unwrap_or_default();
    let is_word = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte));
    is_word && (rest.starts_with("://") || (scheme.eq_ignore_ascii_case("file") && rest.starts_with(':')))
}

/// The path of a `file:` URL; relative ones (`file:../lib`) are what pip and uv take too.
fn file_url_path(url: &str) -> Option<String> {
    let (_, rest) = url.split_once(':')?;
    let path = match rest.strip_prefix("//") {
        Some(rest) => {
            let (host, _) = rest.split_once('/')?;
            let path = rest.get(host.len()..)?;
            (host.is_empty() || host == "localhost").then_some(path)?
        }
        None => rest,
    };
    percent_decode_str(path).decode_utf8().ok().map(|path| path.into_owned())
}

/// `path` relative to `base`, with `.` and `..` resolved by the text alone.
pub(in crate::ecosystem::python) fn join_normalised(base: &Path, path: &Path) -> PathBuf {
    let mut result = PathBuf::new();
    for component in base.join(path).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                result.pop();
            }
            other => result.push(other),
        }
    }
    result
}
