//! Reads a requirements file and those that it names.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::lines::{LINE_LIMIT, LogicalLine, logical_lines};
use super::options::{Cut, Given, Spec, cut};
use super::requirement::{Place, classify, editable, join_normalised, parse_hash};
use super::{BinaryPolicy, Error, Names, Placed, RequirementsFile};
use crate::ecosystem::python::source::Source;
use crate::name::normalize;

/// How many files may name each other in a row, and how many may be read at all.
const DEPTH_LIMIT: usize = 32;
const FILE_LIMIT: usize = 1000;

/// The options that a requirements file may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Requirement,
    Constraint,
    Editable,
    Hash,
    IndexUrl,
    ExtraIndexUrl,
    NoIndex,
    FindLinks,
    NoBinary,
    OnlyBinary,
    PreferBinary,
    RequireHashes,
    Pre,
}

#[rustfmt::skip]
const OPTIONS: &[Spec<Key>] = &[
    Spec { long: &["--requirement"], short: Some('r'), has_value: true, key: Key::Requirement },
    Spec { long: &["--constraint"], short: Some('c'), has_value: true, key: Key::Constraint },
    Spec { long: &["--editable"], short: Some('e'), has_value: true, key: Key::Editable },
    Spec { long: &["--hash"], short: None, has_value: true, key: Key::Hash },
    Spec { long: &["--index-url", "--pypi-url"], short: Some('i'), has_value: true, key: Key::IndexUrl },
    Spec { long: &["--extra-index-url"], short: None, has_value: true, key: Key::ExtraIndexUrl },
    Spec { long: &["--no-index"], short: None, has_value: false, key: Key::NoIndex },
    Spec { long: &["--find-links"], short: Some('f'), has_value: true, key: Key::FindLinks },
    Spec { long: &["--no-binary"], short: None, has_value: true, key: Key::NoBinary },
    Spec { long: &["--only-binary"], short: None, has_value: true, key: Key::OnlyBinary },
    Spec { long: &["--prefer-binary"], short: None, has_value: false, key: Key::PreferBinary },
    Spec { long: &["--require-hashes"], short: None, has_value: false, key: Key::RequireHashes },
    Spec { long: &["--pre"], short: None, has_value: false, key: Key::Pre },
];

/// Reads the requirements file `path` (absolute) and all that it names.
///
/// `-r` and `-c` are relative to the file they stand in, paths of requirements to the directory of `path`.
pub fn read(path: &Path) -> Result<RequirementsFile, Error> {
    let source = Source::read(path)?;
    read_source(&source)
}

/// As [`read`], for a file that has been read.
pub(in crate::ecosystem::python) fn read_source(source: &Source) -> Result<RequirementsFile, Error> {
    let base = source.path.parent().unwrap_or(Path::new("/")).to_path_buf();
    let mut reader =
        Reader { base, result: RequirementsFile::default(), open: Vec::new(), files: 0, lines: LINE_LIMIT };
    reader.file(source, Role::Requirements)?;
    Ok(reader.result)
}

/// Reads the `-c` file that `value` at `span` of `source` names: the requirements in it are constraints.
pub(in crate::ecosystem::python) fn read_nested(
    source: &Source,
    value: &str,
    span: Range<usize>,
    role: Role,
) -> Result<RequirementsFile, Error> {
    let base = source.path.parent().unwrap_or(Path::new("/")).to_path_buf();
    let mut reader =
        Reader { base, result: RequirementsFile::default(), open: Vec::new(), files: 0, lines: LINE_LIMIT };
    reader.nested(source, value, span, role)?;
    Ok(reader.result)
}

/// What the lines of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ecosystem::python) enum Role {
    /// Requirements.
    Requirements,
    /// Constraints.
    Constraints,
}

struct Reader {
    base: PathBuf,
    result: RequirementsFile,
    /// Canonical paths of the files that are being read, the outermost first.
    open: Vec<PathBuf>,
    files: usize,
    lines: usize,
}

impl Reader {
    fn file(&mut self, source: &Source, role: Role) -> Result<(), Error> {
        self.files += 1;
        if !self.result.files.contains(&source.path) {
            self.result.files.push(source.path.clone());
        }
        self.open.push(canonical(&source.path));
        let lines = logical_lines(source)?;
        for line in &lines {
            self.lines = self.lines.checked_sub(1).ok_or_else(|| {
                source.error(line.whole(), format!("more than {LINE_LIMIT} lines, all files taken together"), &[])
            })?;
            self.line(source, line, role)?;
        }
        self.open.pop();
        Ok(())
    }

    fn line(&mut self, source: &Source, line: &LogicalLine, role: Role) -> Result<(), Error> {
        let cut = cut(source, line, OPTIONS, &|name, span| unknown(source, name, span))?;
        if let Some(word) = cut.rest.first() {
            let message = format!("`{}` after an option belongs to nothing; pip would ignore it", word.text);
            return Err(source.error(
                line.span(word.range.clone()),
                message,
                &["quote the value of `-e` when it holds spaces; options come last in a line"],
            ));
        }
        if !cut.head.is_empty() {
            return self.requirement(source, line, cut, role);
        }
        if cut.options.len() > 1 {
            let owner = |given: &&Given<Key>| matches!(given.key, Key::Requirement | Key::Constraint | Key::Editable);
            if cut.options.iter().any(|given| owner(&given)) {
                let message =
                    "`-r`, `-c` and `-e` each need a line of their own; pip would ignore what else stands here";
                return Err(source.error(line.whole(), message, &["write one option a line"]));
            }
        }
        for given in cut.options {
            self.option(source, line, given, role)?;
        }
        Ok(())
    }

    fn requirement(&mut self, source: &Source, line: &LogicalLine, cut: Cut<Key>, role: Role) -> Result<(), Error> {
        let mut sha256 = Vec::new();
        for given in &cut.options {
            let span = line.span(given.range.clone());
            if given.key != Key::Hash {
                let message = format!("`{}` cannot stand behind a requirement; pip would ignore it", given.name);
                return Err(source.error(span, message, &["give it a line of its own; it holds for the whole file"]));
            }
            let place = Place { source, line: line.number, span, base: &self.base };
            sha256.push(parse_hash(&given.value, &place)?);
        }
        let span = line.span(0..cut.head.len());
        let place = Place { source, line: line.number, span, base: &self.base };
        let requirement = classify(&cut.head, sha256, &place)?;
        self.push(requirement, role);
        Ok(())
    }

    fn push(&mut self, requirement: super::Requirement, role: Role) {
        match role {
            Role::Requirements => self.result.requirements.push(requirement),
            Role::Constraints => self.result.constraints.push(requirement),
        }
    }

    fn option(&mut self, source: &Source, line: &LogicalLine, given: Given<Key>, role: Role) -> Result<(), Error> {
        let span = line.span(given.range.clone());
        let (file, number) = (source.path.clone(), line.number);
        let flag = || Placed { value: (), file: file.clone(), line: number };
        let options = &mut self.result.options;
        match given.key {
            Key::Requirement => return self.nested(source, &given.value, span, Role::Requirements),
            Key::Constraint => return self.nested(source, &given.value, span, Role::Constraints),
            Key::Editable => {
                let place = Place { source, line: number, span, base: &self.base };
                let requirement = editable(&given.value, &place)?;
                self.push(requirement, role);
            }
            Key::Hash => {
                return Err(source.error(span, "`--hash` without a requirement", &["write it behind the requirement"]));
            }
            Key::IndexUrl => options.index_url = Some(Placed { value: given.value, file, line: number }),
            Key::ExtraIndexUrl => options.extra_index_urls.push(Placed { value: given.value, file, line: number }),
            Key::FindLinks => options.find_links.push(Placed { value: given.value, file, line: number }),
            Key::NoIndex => options.no_index = Some(flag()),
            Key::Pre => options.pre = Some(flag()),
            Key::RequireHashes => options.require_hashes = Some(flag()),
            Key::PreferBinary => options.binary.prefer_binary = true,
            Key::NoBinary => options.binary.add_no_binary(&given.value),
            Key::OnlyBinary => options.binary.add_only_binary(&given.value),
        }
        Ok(())
    }

    fn nested(&mut self, source: &Source, value: &str, span: Range<usize>, role: Role) -> Result<(), Error> {
        if value.contains("://") {
            return Err(source.error(
                span,
                format!("`{value}` would be read from the network, where it may change"),
                &["keep a copy of the file in the repository and name that"],
            ));
        }
        let directory = source.path.parent().unwrap_or(Path::new("/"));
        let path = join_normalised(directory, Path::new(value));
        if self.open.contains(&canonical(&path)) {
            let mut chain: Vec<String> = self.open.iter().map(|path| path.display().to_string()).collect();
            chain.push(path.display().to_string());
            return Err(source.error(span, format!("requirement files name each other: {}", chain.join(" → ")), &[]));
        }
        if self.open.len() >= DEPTH_LIMIT || self.files >= FILE_LIMIT {
            let message =
                format!("more than {DEPTH_LIMIT} requirement files inside each other, or {FILE_LIMIT} in all");
            return Err(source.error(span, message, &[]));
        }
        let nested = Source::read(&path).map_err(|error| match error {
            Error::Read { source: cause, .. } => {
                source.error(span.clone(), format!("cannot read {}: {cause}", path.display()), &[])
            }
            other => other,
        })?;
        self.file(&nested, role)
    }
}

/// The path by which a file is known again; a missing file keeps its name.
fn canonical(path: &Path) -> PathBuf {
    fs_err::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}

fn unknown(source: &Source, name: &str, span: Range<usize>) -> Error {
    let long = OPTIONS.iter().flat_map(|spec| spec.long);
    let mut hints = Vec::new();
    let near = crate::config::closest(name, long.clone().copied());
    hints.extend(near.map(|near| format!("did you mean `{near}`?")));
    match name {
        "--trusted-host" => hints.push("have the index's certificate trusted instead: SSL_CERT_FILE".to_owned()),
        "--global-option" | "--install-option" | "--config-settings" => {
            hints.push("options of a build belong in the project's own pyproject.toml".to_owned());
        }
        _ => hints.push(format!("understood are: {}", long.copied().collect::<Vec<_>>().join(", "))),
    }
    let hints: Vec<&str> = hints.iter().map(String::as_str).collect();
    source.error(span, format!("the option `{name}` cannot stand in a requirements file"), &hints)
}

/// Which forms of a distribution may be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowed {
    /// Wheels.
    pub wheels: bool,
    /// Source distributions.
    pub sources: bool,
}

impl BinaryPolicy {
    /// What may be taken of `name`: a name that is listed goes before `:all:` (pip's `get_allowed_formats`).
    pub fn allowed(&self, name: &str) -> Allowed {
        let name = normalize(name);
        let lists = |names: &Names| matches!(names, Names::These(names) if names.contains(&name));
        let (no_wheels, no_sources) = match (lists(&self.only_binary), lists(&self.no_binary)) {
            (true, _) => (false, true),
            (_, true) => (true, false),
            _ if self.only_binary == Names::All => (false, true),
            _ => (self.no_binary == Names::All, false),
        };
        Allowed { wheels: !no_wheels, sources: !no_sources }
    }

    /// `--no-binary VALUE`, after what came before it (pip's `FormatControl.handle_mutual_excludes`).
    pub(in crate::ecosystem::python) fn add_no_binary(&mut self, value: &str) {
        exclude(value, &mut self.no_binary, &mut self.only_binary);
    }

    /// `--only-binary VALUE`, after what came before it.
    pub(in crate::ecosystem::python) fn add_only_binary(&mut self, value: &str) {
        exclude(value, &mut self.only_binary, &mut self.no_binary);
    }
}

fn exclude(value: &str, target: &mut Names, other: &mut Names) {
    let mut parts: Vec<&str> = value.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    if let Some(at) = parts.iter().rposition(|part| *part == ":all:") {
        *other = Names::Nothing;
        *target = Names::All;
        parts.drain(..=at);
        // Only a `:none:` behind it has anything more to say.
        if !parts.contains(&":none:") {
            return;
        }
    }
    for part in parts {
        if part == ":none:" {
            *target = Names::Nothing;
            continue;
        }
        let name = normalize(part);
        if let Names::These(names) = other {
            names.retain(|known| *known != name);
            if names.is_empty() {
                *other = Names::Nothing;
            }
        }
        match target {
            Names::All => {}
            Names::These(names) => {
                if let Err(at) = names.binary_search(&name) {
                    names.insert(at, name);
                }
            }
            Names::Nothing => *target = Names::These(vec![name]),
        }
    }
}
