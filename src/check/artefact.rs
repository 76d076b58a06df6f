//! A [`Subject`] from an artefact of anyone: streamed once, nothing unpacked to disk but a large ELF file for as long as it
//! is read, within the bounds of the formats' readers.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::content::{Examiner, Wanted};
use super::subject::{Facts, Identity, Item, Script, Subject, in_python_tree};
use crate::diagnostic::{Code, Diagnose, codes};
use crate::format::deb::{self, DebInfo};
use crate::format::rpm::{self, Dependency, RpmInfo};
use crate::format::{self, FileInfo, FileKind};
use crate::target::Format;

/// Why an artefact cannot be checked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read, or is no package.
    #[error(transparent)]
    Format(#[from] format::Error),
    /// It cannot be opened.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is no package, or one without measure.
    #[error("{} cannot be checked: {what}", path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
        /// Why.
        what: String,
    },
}

impl Diagnose for Error {
    fn code(&self) -> &'static Code {
        match self {
            Self::Format(error) => error.code(),
            Self::Io { source, .. } => crate::diagnostic::io_code(source),
            Self::Unfit { .. } => &codes::CANNOT_BE_CHECKED,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Format(error) => error.hints(),
            Self::Io { source, .. } => crate::diagnostic::io_hints(source),
            Self::Unfit { .. } => {
                vec!["name .deb or .rpm files, directories of them, or a packhouse-artefacts.json".to_owned()]
            }
        }
    }
}

impl Subject {
    /// Reads the .deb or .rpm at `path`; the format is told by the content, not by the name.
    pub fn of_artefact(path: &Path) -> Result<Self, Error> {
        let unfit = |what: &str| Error::Unfit { path: path.to_path_buf(), what: what.to_owned() };
        let io = |source| Error::Io { path: path.to_path_buf(), source };
        let mut magic = Vec::new();
        fs_err::File::open(path).map_err(io)?.take(8).read_to_end(&mut magic).map_err(io)?;
        let mut examiner = Examiner::new(&[]);
        let mut contents: HashMap<String, Facts> = HashMap::new();
        let mut visit = |file: &FileInfo, content: &mut dyn Read| {
            if file.kind == FileKind::File {
                let wanted = Wanted::of(&file.path, file.mode, in_python_tree(&file.path));
                let facts = examiner.examine(content, wanted)?;
                contents.insert(file.path.clone(), facts);
            }
            Ok(())
        };
        let subject = if magic.starts_with(b"!<arch>\n") {
            let info = deb::read_contents(path, &mut visit)?;
            of_deb(info, contents)
        } else if magic.starts_with(&[0xed, 0xab, 0xee, 0xdb]) {
            let info = rpm::read_contents(path, &mut visit)?;
            if info.architecture == "src" {
                return Err(unfit("it is a source package, and the rules are for packages that are installed"));
            }
            of_rpm(info, contents)
        } else {
            return Err(unfit("it is neither a .deb nor an .rpm"));
        };
        subject.map_err(|error| unfit(&error.to_string()))
    }
}

fn items(files: Vec<FileInfo>, mut contents: HashMap<String, Facts>) -> Vec<Item> {
    let item = |file: FileInfo| Item {
        content: contents.remove(&file.path).unwrap_or_default(),
        vendored: in_python_tree(&file.path),
        path: file.path,
        kind: file.kind,
        mode: file.mode,
        user: file.user,
        group: file.group,
        time: Some(file.time),
        link: file.link,
        config: file.config,
        noreplace: file.noreplace,
        ghost: file.ghost,
        license: file.license,
        size: file.size,
    };
    files.into_iter().map(item).collect()
}

/// The relations of Debian, in the order of Policy 7.
const DEBIAN_RELATIONS: [&str; 9] =
    ["Depends", "Pre-Depends", "Recommends", "Suggests", "Enhances", "Conflicts", "Breaks", "Replaces", "Provides"];

fn of_deb(info: DebInfo, contents: HashMap<String, Facts>) -> Result<Subject, super::subject::TooLarge> {
    let description = info.field("Description").unwrap_or_default();
    let (summary, rest) = description.split_once('\n').unwrap_or((description, ""));
    let identity = Identity {
        format: Format::Deb,
        name: info.package().to_owned(),
        version: info.version().to_owned(),
        architecture: info.architecture().to_owned(),
        summary: summary.trim().to_owned(),
        description: rest.to_owned(),
    };
    let list = |name: &'static str| {
        let value = info.field(name)?;
        let all = value.split(',').map(|one| one.split_whitespace().collect::<Vec<_>>().join(" "));
        Some((name, all.filter(|one| !one.is_empty()).collect()))
    };
    let relations = DEBIAN_RELATIONS.into_iter().filter_map(list).collect();
    let script = |(name, text): (String, String)| {
        let program = text.strip_prefix("#!").and_then(|rest| rest.lines().next()).unwrap_or_default();
        Script { name, program: program.trim().to_owned(), text, flags: 0 }
    };
    let mut subject = Subject::new(identity, items(info.files, contents))?;
    subject.fields = info.control.into_iter().filter(|(name, _)| !DEBIAN_RELATIONS.contains(&name.as_str())).collect();
    subject.relations = relations;
    subject.scripts = info.scripts.into_iter().map(script).collect();
    subject.conffiles = info.conffiles;
    subject.time = changelog_time(&subject);
    Ok(subject)
}

/// The time of the changelog's newest entry, which SOURCE_DATE_EPOCH is taken from. A rebuild has another one, in a file of its
/// own (Policy 5.6.12.2).
fn changelog_time(subject: &Subject) -> Option<i64> {
    let rebuilt =
        subject.version.rsplit_once("+b").is_some_and(|(_, number)| number.bytes().all(|byte| byte.is_ascii_digit()));
    let path = format!("/usr/share/doc/{}/changelog.Debian.gz", subject.name);
    let packed = subject.get(&path).filter(|_| !rebuilt)?.content.text.as_ref()?;
    let mut text = Vec::new();
    // What follows a damaged part, or 256 KiB, is not looked at.
    let _ = flate2::read::GzDecoder::new(packed.as_slice()).take(256 * 1024).read_to_end(&mut text);
    let text = String::from_utf8_lossy(&text);
    let trailer = text.lines().find(|line| line.starts_with(" -- "))?;
    let (_, date) = trailer.rsplit_once(">  ")?;
    jiff::fmt::rfc2822::parse(date.trim()).ok().map(|time| time.timestamp().as_second())
}

fn of_rpm(info: RpmInfo, contents: HashMap<String, Facts>) -> Result<Subject, super::subject::TooLarge> {
    let identity = Identity {
        format: Format::Rpm,
        name: info.name.clone(),
        version: info.evr(),
        architecture: info.architecture.clone(),
        summary: info.summary.clone(),
        description: info.description.clone(),
    };
    let list = |all: &[Dependency]| -> Vec<String> {
        all.iter().filter(|one| !one.is_rpmlib()).map(ToString::to_string).collect()
    };
    let relations = vec![
        ("Requires", list(&info.requires)),
        ("Provides", list(&info.provides)),
        ("Conflicts", list(&info.conflicts)),
        ("Obsoletes", list(&info.obsoletes)),
        ("Recommends", list(&info.recommends)),
        ("Suggests", list(&info.suggests)),
        ("Supplements", list(&info.supplements)),
        ("Enhances", list(&info.enhances)),
    ];
    let mut subject = Subject::new(identity, items(info.files, contents))?;
    let texts = [
        ("Name", Some(info.name)),
        ("Summary", Some(info.summary)),
        ("Description", Some(info.description)),
        ("License", Some(info.license)),
        ("Vendor", info.vendor),
        ("Packager", info.packager),
        ("Group", info.group),
        ("URL", info.url),
    ];
    subject.fields =
        texts.into_iter().filter_map(|(name, value)| value.map(|value| (name.to_owned(), value))).collect();
    subject.relations = relations;
    let scripts = info.scripts.into_iter().zip(info.script_programs).zip(info.script_flags);
    let script = |(((name, text), program), flags)| Script { name, program, text, flags };
    subject.scripts = scripts.map(script).collect();
    subject.changelog = info.changelog.into_iter().map(|entry| entry.author).collect();
    subject.time = Some(info.build_time).filter(|time| *time > 0);
    Ok(subject)
}
