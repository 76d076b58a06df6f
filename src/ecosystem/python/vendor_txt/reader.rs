//! Reads the lines of a `vendor.txt`.

use std::ops::Range;
use std::path::Path;

use super::options::{Key, OPTIONS, unknown};
use super::{VendorArchive, VendorEntry, VendorFile, VendorRequirement};
use crate::digest::Sha256;
use crate::ecosystem::python::project::RequirementLine;
use crate::ecosystem::python::requirements::lines::{LogicalLine, logical_lines};
use crate::ecosystem::python::requirements::options::{Given, Word, cut, words};
use crate::ecosystem::python::requirements::reader::{Role, read_nested};
use crate::ecosystem::python::requirements::requirement::{Place, classify, parse_hash};
use crate::ecosystem::python::requirements::{BinaryPolicy, Names, Options, Placed, Requirement, RequirementsFile};
use crate::ecosystem::python::source::{Error, Source};

/// Reads the `vendor.txt` at `path` (absolute) and all that it names.
pub fn read(path: &Path) -> Result<VendorFile, Error> {
    let source = Source::read(path)?;
    let mut result = VendorFile { entries: Vec::new(), files: vec![source.path.clone()] };
    for line in logical_lines(&source)? {
        read_line(&source, &line, &mut result)?;
    }
    Ok(result)
}

/// The options of one line, taken together.
#[derive(Default)]
struct Line {
    shape: VendorRequirementOptions,
    requirement_files: Vec<(String, Range<usize>)>,
    constraint_files: Vec<(String, Range<usize>)>,
    /// The option that restricts what is compatible, with its place.
    restriction: Option<(String, Range<usize>)>,
}

/// See the fields of [`VendorRequirement`].
#[derive(Debug, Default, Clone, PartialEq)]
struct VendorRequirementOptions {
    no_deps: bool,
    platforms: Vec<String>,
    abis: Vec<String>,
    implementation: Option<String>,
    python_version: Option<String>,
    source_or_pure: bool,
    binary: BinaryPolicy,
    pre: bool,
    index_url: Option<Placed<String>>,
    extra_index_urls: Vec<Placed<String>>,
    find_links: Vec<Placed<String>>,
    sha256: Vec<Sha256>,
    constraints: Vec<RequirementLine>,
}

fn read_line(source: &Source, line: &LogicalLine, result: &mut VendorFile) -> Result<(), Error> {
    let cut = cut(source, line, OPTIONS, &|name, span| unknown(source, name, span))?;
    let (text, text_span) = subject(source, line, &cut.head, &cut.rest)?;
    let mut options = Line::default();
    for given in cut.options {
        take_option(source, line, given, &mut options)?;
    }
    check_restrictions(source, line, &mut options)?;
    for (value, span) in &options.constraint_files {
        let nested = read_nested(source, value, span.clone(), Role::Constraints)?;
        add_files(result, &nested);
        refuse_options(source, span, &nested)?;
        for constraint in nested.constraints.into_iter().chain(nested.requirements) {
            match constraint {
                Requirement::Named(named) => options.shape.constraints.push(named),
                _ => return Err(source.error(span.clone(), "a constraint that is no name with versions", &[])),
            }
        }
    }
    if text.is_empty() && options.requirement_files.is_empty() {
        return Err(source.error(
            line.whole(),
            "a line that names nothing to vendor",
            &["write options on the line of the requirement that they are for"],
        ));
    }
    if !text.is_empty() {
        let base = source.path.parent().unwrap_or(Path::new("/"));
        let place = Place { source, line: line.number, span: text_span, base };
        let requirement = classify(&text, options.shape.sha256.clone(), &place)?;
        result.entries.push(entry(requirement, &options, source, line)?);
    }
    for (value, span) in &options.requirement_files {
        let nested = read_nested(source, value, span.clone(), Role::Requirements)?;
        add_files(result, &nested);
        if !options.shape.sha256.is_empty() {
            return Err(source.error(line.whole(), "`--hash` with `-r`: it is one file's hash", &[]));
        }
        let mut options = Line { shape: options.shape.clone(), ..Line::default() };
        if let Some(no_index) = &nested.options.no_index {
            let message = format!("`--no-index` in {}, line {}", no_index.file.display(), no_index.line);
            return Err(source.error(span.clone(), message, &["name the index that it comes from"]));
        }
        merge_file_options(&nested.options, &mut options.shape);
        for constraint in nested.constraints {
            match constraint {
                Requirement::Named(named) => options.shape.constraints.push(named),
                _ => return Err(source.error(span.clone(), "a constraint that is no name with versions", &[])),
            }
        }
        for requirement in nested.requirements {
            result.entries.push(entry(requirement, &options, source, line)?);
        }
    }
    Ok(())
}

/// The requirement of the line: what stands before the options, else the one word between them.
fn subject(source: &Source, line: &LogicalLine, head: &str, rest: &[Word]) -> Result<(String, Range<usize>), Error> {
    if !head.is_empty() {
        if let Some(word) = rest.first() {
            let message = format!("`{}`: a line has one requirement, and it stands before the options", word.text);
            return Err(source.error(line.span(word.range.clone()), message, &["write one requirement a line"]));
        }
        let span = line.span(0..head.len());
        if head.starts_with(['"', '\'']) {
            let quoted = LogicalLine::clone(line);
            let words: Vec<_> =
                words(source, &quoted, 0)?.into_iter().filter(|word| word.range.end <= head.len()).collect();
            if let [word] = words.as_slice() {
                return Ok((word.text.clone(), span));
            }
        }
        return Ok((head.to_owned(), span));
    }
    match rest {
        [] => Ok((String::new(), line.whole())),
        [word] => Ok((word.text.clone(), line.span(word.range.clone()))),
        [_, second, ..] => Err(source.error(
            line.span(second.range.clone()),
            "more than one word that is no option",
            &["write one requirement a line, before its options"],
        )),
    }
}

fn take_option(source: &Source, line: &LogicalLine, given: Given<Key>, options: &mut Line) -> Result<(), Error> {
    let span = line.span(given.range.clone());
    let base = source.path.parent().unwrap_or(Path::new("/"));
    let place = Place { source, line: line.number, span: span.clone(), base };
    let placed = |value| Placed { value, file: source.path.clone(), line: line.number };
    let shape = &mut options.shape;
    if matches!(given.key, Key::Platform | Key::Abi | Key::Implementation | Key::PythonVersion) {
        options.restriction.get_or_insert((given.name.clone(), span.clone()));
        let tag = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        if given.value.is_empty() || !given.value.bytes().all(tag) {
            return Err(place.error(format!("`{}` cannot be the value of `{}`", given.value, given.name), &[]));
        }
    }
    match given.key {
        Key::NoDeps => shape.no_deps = true,
        // pip compares tags with `-` and `.` as `_`.
        Key::Platform => shape.platforms.push(given.value.replace(['-', '.'], "_")),
        Key::Abi => shape.abis.push(given.value),
        Key::Implementation => shape.implementation = Some(given.value),
        Key::PythonVersion => shape.python_version = Some(python_version(&given.value, &place)?),
        Key::OnlyBinary => shape.binary.add_only_binary(&given.value),
        Key::NoBinary => shape.binary.add_no_binary(&given.value),
        Key::PreferBinary => shape.binary.prefer_binary = true,
        Key::Pre => shape.pre = true,
        Key::IndexUrl => shape.index_url = Some(placed(given.value)),
        Key::ExtraIndexUrl => shape.extra_index_urls.push(placed(given.value)),
        Key::FindLinks => shape.find_links.push(placed(given.value)),
        Key::Hash => shape.sha256.push(parse_hash(&given.value, &place)?),
        Key::Requirement => options.requirement_files.push((given.value, span)),
        Key::Constraint => options.constraint_files.push((given.value, span)),
        Key::Editable => {
            let hint = "the repository's own packages need no vendoring: name them in requirements.txt";
            return Err(place.error("`-e` names a directory, which is not vendored", &[hint]));
        }
    }
    Ok(())
}

/// `3`, `3.11`, `3.11.2`, or pip's `311` for `3.11`.
fn python_version(value: &str, place: &Place<'_>) -> Result<String, Error> {
    let parts: Vec<&str> = value.split('.').collect();
    let numbers = parts.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    if !numbers || parts.len() > 3 || value.len() > 10 {
        let message = format!("`{value}` is no version of Python");
        return Err(place.error(message, &["write `3`, `3.11` or `3.11.2`"]));
    }
    match (parts.as_slice(), value.split_at_checked(1)) {
        ([_], Some((major, minor))) if !minor.is_empty() => Ok(format!("{major}.{minor}")),
        _ => Ok(value.to_owned()),
    }
}

/// What pip asks of `--platform` and its like (`check_dist_restriction`), and what another system's platform means.
fn check_restrictions(source: &Source, line: &LogicalLine, options: &mut Line) -> Result<(), Error> {
    let shape = &mut options.shape;
    let Some((name, span)) = &options.restriction else { return Ok(()) };
    let only_wheels = shape.binary.only_binary == Names::All && shape.binary.no_binary == Names::Nothing;
    if !shape.no_deps && !only_wheels {
        return Err(source.error(
            span.clone(),
            format!("`{name}` needs `--no-deps` or `--only-binary :all:`, as in pip"),
            &["add `--no-deps` to take this one alone, or `--only-binary :all:` to take wheels with what they require"],
        ));
    }
    let is_foreign = |platform: &String| platform.starts_with("macosx_") || platform.starts_with("win");
    let foreign = shape.platforms.iter().filter(|platform| is_foreign(platform)).count();
    if foreign > 0 {
        if foreign < shape.platforms.len() {
            let message = "platforms of Linux and of another system in one line";
            return Err(source.error(line.whole(), message, &["packages are made for Linux; leave the other out"]));
        }
        if !shape.no_deps || only_wheels {
            return Err(source.error(
                span.clone(),
                "a platform of another system, whose wheels cannot run in a package for Linux",
                &["with `--no-deps` alone it means: a pure wheel, else the source distribution"],
            ));
        }
        shape.source_or_pure = true;
    }
    Ok(())
}

fn entry(requirement: Requirement, options: &Line, source: &Source, line: &LogicalLine) -> Result<VendorEntry, Error> {
    let shape = &options.shape;
    match requirement {
        Requirement::Named(named) => {
            let mut sha256 = shape.sha256.clone();
            sha256.extend(named.sha256.into_iter().filter(|digest| !shape.sha256.contains(digest)));
            Ok(VendorEntry::Requirement(Box::new(VendorRequirement {
                requirement: named.requirement,
                no_deps: shape.no_deps,
                platforms: shape.platforms.clone(),
                abis: shape.abis.clone(),
                implementation: shape.implementation.clone(),
                python_version: shape.python_version.clone(),
                source_or_pure: shape.source_or_pure,
                binary: shape.binary.clone(),
                pre: shape.pre,
                index_url: shape.index_url.clone(),
                extra_index_urls: shape.extra_index_urls.clone(),
                find_links: shape.find_links.clone(),
                sha256,
                constraints: shape.constraints.clone(),
                file: named.file,
                line: named.line,
            })))
        }
        Requirement::Url(url) => {
            if url.marker.is_some() || !url.extras.is_empty() {
                let message = "an archive is vendored as it is: a marker or an extra means nothing here";
                return Err(source.error(line.whole(), message, &["write the URL alone"]));
            }
            if *shape
                != (VendorRequirementOptions {
                    no_deps: shape.no_deps,
                    sha256: shape.sha256.clone(),
                    ..Default::default()
                })
            {
                let message = "an archive is vendored as it is: options that choose one mean nothing here";
                return Err(source.error(
                    line.whole(),
                    message,
                    &["of the options leave only `--no-deps` and `--hash`"],
                ));
            }
            Ok(VendorEntry::Archive(VendorArchive { url: url.url, sha256: url.sha256, file: url.file, line: url.line }))
        }
        Requirement::Path(path) => Err(source.error(
            line.whole(),
            format!("{} is a directory, which is not vendored", path.path.display()),
            &["the repository's own packages need no vendoring: name them in requirements.txt"],
        )),
    }
}

/// The options of a `-r` file hold for all that stands in it.
fn merge_file_options(from: &Options, into: &mut VendorRequirementOptions) {
    into.index_url = from.index_url.clone().or(into.index_url.take());
    into.extra_index_urls.extend(from.extra_index_urls.iter().cloned());
    into.find_links.extend(from.find_links.iter().cloned());
    into.pre |= from.pre.is_some();
    into.binary.prefer_binary |= from.binary.prefer_binary;
    if from.binary.no_binary != Names::Nothing {
        into.binary.no_binary = from.binary.no_binary.clone();
    }
    if from.binary.only_binary != Names::Nothing {
        into.binary.only_binary = from.binary.only_binary.clone();
    }
}

fn refuse_options(source: &Source, span: &Range<usize>, file: &RequirementsFile) -> Result<(), Error> {
    if file.options == Options::default() {
        return Ok(());
    }
    Err(source.error(span.clone(), "a constraints file with options in it", &["move them to the requirement's line"]))
}

fn add_files(result: &mut VendorFile, nested: &RequirementsFile) {
    for file in &nested.files {
        if !result.files.contains(file) {
            result.files.push(file.clone());
        }
    }
}
