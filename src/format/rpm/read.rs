//! Reads an .rpm from anyone, in bounded memory: the lead, the signature header and the header are parsed, the digests
//! are verified, the payload is hashed but never unpacked, and nothing in it is run.

use std::collections::HashMap;
use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::Path;

use md5::Md5;
use serde::Serialize;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

use super::header::Header;
use super::scriptlets;
use super::tag::{self, file, sense};
use crate::digest::Sha256 as Digest;
use crate::format::Error;
use crate::format::error::Fault;
use crate::format::listing::{FileInfo, FileKind};

/// Bytes of the lead, a fossil before the headers.
pub(super) const LEAD: usize = 96;
const LEAD_MAGIC: [u8; 4] = [0xed, 0xab, 0xee, 0xdb];
/// Where the lead says how signatures are kept, and the one way that there is: in a header (`rpmlead.c`).
const SIGNATURE_TYPE: std::ops::Range<usize> = 78..80;
const HEADER_SIGNATURE: [u8; 2] = [0, 5];
/// All paths of one package together.
const MAX_PATHS: usize = 128 * 1024 * 1024;

/// A relation to another package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Dependency {
    /// The capability: a package's name, a path, `libc.so.6()(64bit)`, a rich expression in parentheses.
    pub name: String,
    /// RPM's flags (`RPMSENSE_*`), as recorded.
    pub flags: u32,
    /// `[epoch:]version[-release]`; empty when any version will do.
    pub version: String,
}

impl Dependency {
    /// `LT`, `LE`, `EQ`, `GE`, `GT` (as repository metadata spell them); `None` when any version will do.
    pub fn sense(&self) -> Option<&'static str> {
        let flag = |bit| self.flags & bit != 0;
        match (flag(sense::LESS), flag(sense::EQUAL), flag(sense::GREATER)) {
            (true, false, false) => Some("LT"),
            (true, true, false) => Some("LE"),
            (false, true, false) => Some("EQ"),
            (false, true, true) => Some("GE"),
            (false, false, true) => Some("GT"),
            _ => None,
        }
    }

    /// Epoch, version, release of [`Self::version`]; each empty when it is not given.
    pub fn epoch_version_release(&self) -> (&str, &str, &str) {
        let (epoch, rest) = self.version.split_once(':').unwrap_or(("", &self.version));
        let (version, release) = rest.rsplit_once('-').unwrap_or((rest, ""));
        (epoch, version, release)
    }

    /// Whether it is a feature that rpm itself must have (`rpmlib(…)`), which repository metadata leave out.
    pub fn is_rpmlib(&self) -> bool {
        self.flags & sense::RPMLIB != 0 || self.name.starts_with("rpmlib(")
    }

    /// Whether a script needs it while the package is installed: repository metadata's `pre` (createrepo_c ≥ 1; before, those
    /// that run with the whole transaction were not counted).
    pub fn is_pre(&self) -> bool {
        let scripts = sense::PRETRANS | sense::SCRIPT_PRE | sense::SCRIPT_POST | sense::POSTTRANS;
        self.flags & (sense::PREREQ | scripts) != 0
    }
}

/// `name >= version`, as a spec file has it.
impl fmt::Display for Dependency {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operator = match self.sense() {
            Some("LT") => "<",
            Some("LE") => "<=",
            Some("EQ") => "=",
            Some("GE") => ">=",
            Some("GT") => ">",
            _ => return out.write_str(&self.name),
        };
        write!(out, "{} {operator} {}", self.name, self.version)
    }
}

/// An entry of the changelog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangelogEntry {
    /// Seconds since 1970-01-01 UTC; noon of the day as a rule.
    pub time: i64,
    /// `Name <mail> - version-release`.
    pub author: String,
    /// `- change` lines.
    pub text: String,
}

/// What an .rpm says of itself. Digests of its header and payload have been verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RpmInfo {
    /// `Name`.
    pub name: String,
    /// `Epoch`; `None` is not the same as 0 in the file, but compares equal.
    pub epoch: Option<u32>,
    /// `Version`.
    pub version: String,
    /// `Release`.
    pub release: String,
    /// `x86_64`, `noarch`, `src` for source packages.
    pub architecture: String,
    /// One line.
    pub summary: String,
    /// Paragraphs.
    pub description: String,
    /// `License`.
    pub license: String,
    /// `Vendor`.
    pub vendor: Option<String>,
    /// `Packager`.
    pub packager: Option<String>,
    /// `Group`.
    pub group: Option<String>,
    /// `URL`.
    pub url: Option<String>,
    /// `Build Host`.
    pub build_host: Option<String>,
    /// Seconds since 1970-01-01 UTC.
    pub build_time: i64,
    /// The file name of the source package; `None` for a source package.
    pub source_rpm: Option<String>,
    /// `zstd`, `xz`, `gzip`, ….
    pub payload_compressor: String,
    /// Bytes of all files, installed.
    pub installed_size: u64,
    /// Bytes of the uncompressed payload.
    pub archive_size: u64,
    /// Bytes of the .rpm.
    pub package_size: u64,
    /// Where the header lies in the file, first byte and the byte after the last: repository metadata's `header-range`.
    pub header_range: (u64, u64),
    /// Whether it carries an OpenPGP signature (not whether that is good).
    pub signed: bool,
    /// What it provides.
    pub provides: Vec<Dependency>,
    /// What it requires.
    pub requires: Vec<Dependency>,
    /// What it conflicts with.
    pub conflicts: Vec<Dependency>,
    /// What it obsoletes.
    pub obsoletes: Vec<Dependency>,
    /// What it recommends.
    pub recommends: Vec<Dependency>,
    /// What it suggests.
    pub suggests: Vec<Dependency>,
    /// What it supplements.
    pub supplements: Vec<Dependency>,
    /// What it enhances.
    pub enhances: Vec<Dependency>,
    /// Its files.
    pub files: Vec<FileInfo>,
    /// Its history, newest first.
    pub changelog: Vec<ChangelogEntry>,
    /// Scriptlets: `pre`, `post`, `preun`, `postun`, `pretrans`, `posttrans`, `preuntrans`, `postuntrans`, and their texts.
    pub scripts: Vec<(String, String)>,
    /// What runs each of them, in their order, with its arguments: `/bin/sh`, `<lua>`; empty when the header does not say.
    pub script_programs: Vec<String>,
    /// What rpm does with each of them, in their order: 1 macros are expanded, 2 it is a query format, 4 its failure is the
    /// package's.
    pub script_flags: Vec<u32>,
}

impl RpmInfo {
    /// `[epoch:]version-release`.
    pub fn evr(&self) -> String {
        let epoch = self.epoch.map(|epoch| format!("{epoch}:")).unwrap_or_default();
        format!("{epoch}{}-{}", self.version, self.release)
    }
}

/// The front of an .rpm and what follows.
pub(super) struct Opened<R> {
    pub(super) lead: Vec<u8>,
    pub(super) signature: Header,
    pub(super) header: Header,
    /// First byte of the header and of the payload.
    pub(super) header_range: (u64, u64),
    pub(super) payload: R,
}

/// Opens a file, and reads all that stands before the payload.
pub(super) fn open(path: &Path) -> Result<Opened<BufReader<fs_err::File>>, Fault> {
    begin(BufReader::with_capacity(128 * 1024, fs_err::File::open(path)?))
}

/// Reads all that stands before the payload.
fn begin<R: BufRead>(mut payload: R) -> Result<Opened<R>, Fault> {
    let mut lead = vec![0; LEAD];
    payload.read_exact(&mut lead).map_err(|_| Fault::malformed("it is shorter than an rpm's lead"))?;
    if !lead.starts_with(&LEAD_MAGIC) {
        return Err(Fault::malformed("it does not begin as an rpm"));
    }
    if !matches!(lead.get(4), Some(3 | 4)) || lead.get(SIGNATURE_TYPE) != Some(HEADER_SIGNATURE.as_slice()) {
        return Err(Fault::malformed("its lead is not that of an rpm of version 3 or 4"));
    }
    let signature = Header::read(&mut payload, tag::HEADER_SIGNATURES)?;
    let padding = signature.bytes.len().next_multiple_of(8) - signature.bytes.len();
    let mut zeros = [0; 8];
    payload
        .read_exact(zeros.get_mut(..padding).unwrap_or_default())
        .map_err(|_| Fault::malformed("it ends after its signatures"))?;
    let start = (LEAD + signature.bytes.len() + padding) as u64;
    let header = Header::read(&mut payload, tag::HEADER_IMMUTABLE)?;
    let end = start + header.bytes.len() as u64;
    Ok(Opened { lead, signature, header, header_range: (start, end), payload })
}

/// Reads the .rpm at `path` and verifies the digests of its header and its payload.
pub fn read(path: &Path) -> Result<RpmInfo, Error> {
    open(path).and_then(|opened| read_all(opened, None)).map_err(|fault| fault.at(path))
}

/// The same of all that `reader` gives, which errors call `path`, with the digest over header and payload: the identity of a
/// package, whether signed or not.
pub fn read_from(reader: impl BufRead, path: &Path) -> Result<(RpmInfo, Digest), Error> {
    let read = || -> Result<(RpmInfo, Digest), Fault> {
        let opened = begin(reader)?;
        let mut immutable = Sha256::new_with_prefix(&opened.header.bytes);
        let info = read_all(opened, Some(&mut immutable))?;
        Ok((info, Digest(immutable.finalize().into())))
    };
    read().map_err(|fault| fault.at(path))
}

fn read_all(mut opened: Opened<impl BufRead>, immutable: Option<&mut Sha256>) -> Result<RpmInfo, Fault> {
    let payload_size = verify(&mut opened, immutable)?;
    let mut info = describe(&opened.header)?;
    let signatures = [tag::SIG_RSA, tag::SIG_DSA, tag::SIG_PGP, tag::SIG_GPG, tag::SIG_OPENPGP];
    info.signed = signatures.into_iter().any(|tag| opened.signature.has(tag));
    info.header_range = opened.header_range;
    info.package_size = opened.header_range.1 + payload_size;
    let signature = &opened.signature;
    let archive_size = match signature.number(tag::SIG_LONGARCHIVESIZE)? {
        Some(size) => Some(size),
        None => signature.number(tag::SIG_PAYLOADSIZE)?,
    };
    info.archive_size = archive_size.or(opened.header.number(tag::ARCHIVESIZE)?).unwrap_or_default();
    Ok(info)
}

/// Verifies the header's digest and the payload's; gives the payload's size. The payload goes into `immutable` as well.
fn verify(opened: &mut Opened<impl BufRead>, mut immutable: Option<&mut Sha256>) -> Result<u64, Fault> {
    let (signature, header) = (&opened.signature, &opened.header);
    let mismatch = |what: &str| Fault::Mismatch(format!("the digest of its {what} does not match"));
    if let Some(expected) = signature.text(tag::SIG_SHA256)? {
        if hex::encode(Sha256::digest(&header.bytes)) != expected {
            return Err(mismatch("header"));
        }
    } else if let Some(expected) = signature.text(tag::SIG_SHA1)? {
        if hex::encode(Sha1::digest(&header.bytes)) != expected {
            return Err(mismatch("header"));
        }
    } else {
        return Err(Fault::malformed("it has no digest of its header"));
    }

    let mut digest = PayloadDigest::of(signature, header)?;
    let mut size = 0;
    loop {
        let bytes = match opened.payload.fill_buf() {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            bytes => bytes?,
        };
        let length = bytes.len();
        if length == 0 {
            break;
        }
        digest.update(bytes);
        if let Some(immutable) = &mut immutable {
            immutable.update(bytes);
        }
        opened.payload.consume(length);
        size += length as u64;
    }
    if !digest.matches() {
        return Err(mismatch("payload"));
    }
    Ok(size)
}

/// The payload's digest as the package records it: rpm ≥ 4.14 in the header, older ones as MD5 of header and payload.
enum PayloadDigest {
    Sha256(Sha256, String),
    Sha512(Sha512, String),
    Md5(Md5, Vec<u8>),
}

impl PayloadDigest {
    fn of(signature: &Header, header: &Header) -> Result<Self, Fault> {
        if let Some(expected) = header.text(tag::PAYLOADDIGEST)? {
            return match header.number(tag::PAYLOADDIGESTALGO)? {
                Some(8) | None => Ok(Self::Sha256(Sha256::new(), expected)),
                Some(10) => Ok(Self::Sha512(Sha512::new(), expected)),
                Some(other) => {
                    Err(Fault::malformed(format!("its payload's digest is of an unknown kind, number {other}")))
                }
            };
        }
        let expected = signature.binary(tag::SIG_MD5)?;
        let expected = expected.ok_or_else(|| Fault::malformed("it has no digest of its payload"))?;
        Ok(Self::Md5(Md5::new_with_prefix(&header.bytes), expected.to_vec()))
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher, _) => hasher.update(bytes),
            Self::Sha512(hasher, _) => hasher.update(bytes),
            Self::Md5(hasher, _) => hasher.update(bytes),
        }
    }

    fn matches(self) -> bool {
        match self {
            Self::Sha256(hasher, expected) => hex::encode(hasher.finalize()) == expected,
            Self::Sha512(hasher, expected) => hex::encode(hasher.finalize()) == expected,
            Self::Md5(hasher, expected) => hasher.finalize().as_slice() == expected,
        }
    }
}

fn describe(header: &Header) -> Result<RpmInfo, Fault> {
    let required = |tag: u32, what: &str| -> Result<String, Fault> {
        header.text(tag)?.ok_or_else(|| Fault::malformed(format!("it has no {what}")))
    };
    let identity = |tag: u32, what: &str| -> Result<String, Fault> {
        let text = required(tag, what)?;
        let good = !text.is_empty()
            && text.len() <= 200
            && !text.starts_with(['.', '-'])
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-._~^".contains(&byte));
        if good { Ok(text) } else { Err(Fault::malformed(format!("its {what} is `{}`", text.escape_debug()))) }
    };
    let version = identity(tag::VERSION, "version")?;
    let release = identity(tag::RELEASE, "release")?;
    if version.contains('-') || release.contains('-') {
        return Err(Fault::malformed("its version or its release has a `-`"));
    }
    let is_source = header.has(tag::SOURCEPACKAGE) || !header.has(tag::SOURCERPM);
    let installed_size = match header.number(tag::LONGSIZE)? {
        Some(size) => Some(size),
        None => header.number(tag::SIZE)?,
    };
    let number = |tag: u32| header.number(tag).map(Option::unwrap_or_default);
    let scripts = scriptlets::read(header)?;
    Ok(RpmInfo {
        name: identity(tag::NAME, "name")?,
        epoch: header.number(tag::EPOCH)?.map(|epoch| epoch as u32),
        version,
        release,
        architecture: if is_source { "src".to_owned() } else { identity(tag::ARCH, "architecture")? },
        summary: header.text(tag::SUMMARY)?.unwrap_or_default(),
        description: header.text(tag::DESCRIPTION)?.unwrap_or_default(),
        license: header.text(tag::LICENSE)?.unwrap_or_default(),
        vendor: header.text(tag::VENDOR)?,
        packager: header.text(tag::PACKAGER)?,
        group: header.text(tag::GROUP)?,
        url: header.text(tag::URL)?,
        build_host: header.text(tag::BUILDHOST)?,
        build_time: i64::try_from(number(tag::BUILDTIME)?).unwrap_or_default(),
        source_rpm: if is_source { None } else { header.text(tag::SOURCERPM)? },
        payload_compressor: header.text(tag::PAYLOADCOMPRESSOR)?.unwrap_or_else(|| "gzip".to_owned()),
        installed_size: installed_size.unwrap_or_default(),
        archive_size: 0,
        package_size: 0,
        header_range: (0, 0),
        signed: false,
        provides: relations(header, tag::PROVIDENAME, tag::PROVIDEFLAGS, tag::PROVIDEVERSION)?,
        requires: relations(header, tag::REQUIRENAME, tag::REQUIREFLAGS, tag::REQUIREVERSION)?,
        conflicts: relations(header, tag::CONFLICTNAME, tag::CONFLICTFLAGS, tag::CONFLICTVERSION)?,
        obsoletes: relations(header, tag::OBSOLETENAME, tag::OBSOLETEFLAGS, tag::OBSOLETEVERSION)?,
        recommends: relations(header, tag::RECOMMENDNAME, tag::RECOMMENDFLAGS, tag::RECOMMENDVERSION)?,
        suggests: relations(header, tag::SUGGESTNAME, tag::SUGGESTFLAGS, tag::SUGGESTVERSION)?,
        supplements: relations(header, tag::SUPPLEMENTNAME, tag::SUPPLEMENTFLAGS, tag::SUPPLEMENTVERSION)?,
        enhances: relations(header, tag::ENHANCENAME, tag::ENHANCEFLAGS, tag::ENHANCEVERSION)?,
        files: files(header)?,
        changelog: changelog(header)?,
        script_programs: scripts.iter().map(|script| script.program.clone()).collect(),
        script_flags: scripts.iter().map(|script| script.flags).collect(),
        scripts: scripts.into_iter().map(|script| (script.name, script.text)).collect(),
    })
}

fn relations(header: &Header, names: u32, flags: u32, versions: u32) -> Result<Vec<Dependency>, Fault> {
    let (names, flags, versions) = (header.texts(names)?, header.numbers(flags)?, header.texts(versions)?);
    if flags.len() != names.len() || versions.len() != names.len() {
        return Err(Fault::malformed("its relations have lists of different lengths"));
    }
    let all = names.into_iter().zip(flags).zip(versions);
    Ok(all.map(|((name, flags), version)| Dependency { name, flags: flags as u32, version }).collect())
}

fn files(header: &Header) -> Result<Vec<FileInfo>, Fault> {
    let names = header.texts(tag::BASENAMES)?;
    let directories = header.texts(tag::DIRNAMES)?;
    let indexes = header.numbers(tag::DIRINDEXES)?;
    let mut sizes = header.numbers(tag::LONGFILESIZES)?;
    if sizes.is_empty() {
        sizes = header.numbers(tag::FILESIZES)?;
    }
    let modes = header.numbers(tag::FILEMODES)?;
    let times = header.numbers(tag::FILEMTIMES)?;
    let flags = header.numbers(tag::FILEFLAGS)?;
    let digests = header.texts(tag::FILEDIGESTS)?;
    let links = header.texts(tag::FILELINKTOS)?;
    let users = header.texts(tag::FILEUSERNAME)?;
    let groups = header.texts(tag::FILEGROUPNAME)?;
    let mut capabilities = header.texts(tag::FILECAPS)?;
    if capabilities.is_empty() {
        capabilities = vec![String::new(); names.len()];
    }
    let inodes = header.numbers(tag::FILEINODES)?;
    let devices = header.numbers(tag::FILEDEVICES)?;
    let has_sha256 = header.number(tag::FILEDIGESTALGO)? == Some(u64::from(tag::SHA256));
    let lengths = [indexes.len(), sizes.len(), modes.len(), times.len(), flags.len(), digests.len(), links.len()];
    if lengths.iter().chain([&users.len(), &groups.len(), &capabilities.len()]).any(|&length| length != names.len()) {
        return Err(Fault::malformed("its files have lists of different lengths"));
    }
    let mut paths = 0;
    let mut files = Vec::with_capacity(names.len());
    let numbers = indexes.into_iter().zip(sizes).zip(modes).zip(times).zip(flags);
    let texts = digests.into_iter().zip(links).zip(users).zip(groups).zip(capabilities);
    // Names of one file have its number on its device in common; the first stands for it.
    let mut firsts: HashMap<(u64, u64), usize> = HashMap::new();
    for (number, ((name, ((((index, size), mode), time), flags)), ((((digest, link), user), group), capabilities))) in
        names.into_iter().zip(numbers).zip(texts).enumerate()
    {
        let directory = usize::try_from(index).ok().and_then(|index| directories.get(index));
        let directory = directory.ok_or_else(|| Fault::malformed("a file is in no directory"))?;
        paths += directory.len() + name.len();
        if paths > MAX_PATHS {
            return Err(Fault::malformed("the names of its files take too much memory"));
        }
        let path = format!("{directory}{name}");
        let mut first = None;
        if mode & 0o170_000 == 0o100_000
            && flags & u64::from(file::GHOST) == 0
            && let (Some(inode), Some(device)) = (inodes.get(number), devices.get(number))
        {
            let other = *firsts.entry((*device, *inode)).or_insert(number);
            first = files.get(other).map(|file: &FileInfo| file.path.clone());
            paths += first.as_ref().map_or(0, String::len);
        }
        let kind = match mode & 0o170_000 {
            0o100_000 if first.is_some() => FileKind::Hardlink,
            0o100_000 => FileKind::File,
            0o040_000 => FileKind::Directory,
            0o120_000 => FileKind::Symlink,
            _ => FileKind::Special,
        };
        let flag = |bit: u32| flags & u64::from(bit) != 0;
        files.push(FileInfo {
            path,
            kind,
            mode: (mode & 0o7777) as u32,
            user,
            group,
            size,
            time: i64::try_from(time).unwrap_or_default(),
            link: if kind == FileKind::Symlink { Some(link) } else { first },
            sha256: if has_sha256 { digest.parse().ok() } else { None },
            config: flag(file::CONFIG),
            noreplace: flag(file::NOREPLACE),
            missing_ok: flag(file::MISSINGOK),
            documentation: flag(file::DOC),
            license: flag(file::LICENSE),
            ghost: flag(file::GHOST),
            capabilities: (!capabilities.is_empty()).then_some(capabilities),
        });
    }
    Ok(files)
}

fn changelog(header: &Header) -> Result<Vec<ChangelogEntry>, Fault> {
    let times = header.numbers(tag::CHANGELOGTIME)?;
    let authors = header.texts(tag::CHANGELOGNAME)?;
    let texts = header.texts(tag::CHANGELOGTEXT)?;
    if authors.len() != times.len() || texts.len() != times.len() {
        return Err(Fault::malformed("its changelog has lists of different lengths"));
    }
    let all = times.into_iter().zip(authors).zip(texts);
    let entry = |((time, author), text)| ChangelogEntry { time: i64::try_from(time).unwrap_or_default(), author, text };
    Ok(all.map(entry).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::header::{Builder, Value};
    use super::*;

    fn texts(values: &[&str]) -> Value {
        Value::Texts(values.iter().map(|text| (*text).to_owned()).collect())
    }

    /// A header with every kind of list that [`describe`] reads.
    fn sample() -> Vec<u8> {
        let mut builder = Builder::default();
        for (tag, text) in [
            (tag::NAME, "acme"),
            (tag::VERSION, "1.0~rc1"),
            (tag::RELEASE, "1.el9"),
            (tag::ARCH, "noarch"),
            (tag::SOURCERPM, "acme-1.0~rc1-1.el9.src.rpm"),
            (tag::POSTIN, "exit 0"),
        ] {
            builder.text(tag, text);
        }
        builder.set(tag::SUMMARY, Value::Localised("one line".to_owned()));
        builder.set(tag::REQUIRENAME, texts(&["/bin/sh", "libc.so.6"]));
        builder.set(tag::REQUIREVERSION, texts(&["", "1:2-3"]));
        builder.set(tag::REQUIREFLAGS, Value::Int32(vec![256, 12]));
        builder.set(tag::BASENAMES, texts(&["acme", "link", "directory"]));
        builder.set(tag::DIRNAMES, texts(&["/usr/bin/", "/usr/lib/"]));
        builder.set(tag::DIRINDEXES, Value::Int32(vec![0, 0, 1]));
        builder.set(tag::FILEMODES, Value::Int16(vec![0o100_755, 0o120_777, 0o40_755]));
        for tag in [tag::FILESIZES, tag::FILEMTIMES, tag::FILEFLAGS] {
            builder.set(tag, Value::Int32(vec![1, 2, 64]));
        }
        for tag in [tag::FILEDIGESTS, tag::FILELINKTOS, tag::FILEUSERNAME, tag::FILEGROUPNAME] {
            builder.set(tag, texts(&["", "acme", "root"]));
        }
        builder.set(tag::CHANGELOGTIME, Value::Int32(vec![1_750_000_000]));
        builder.set(tag::CHANGELOGNAME, texts(&["A <a@example.org> - 1.0~rc1-1.el9"]));
        builder.set(tag::CHANGELOGTEXT, texts(&["- begin"]));
        builder.build(tag::HEADER_IMMUTABLE)
    }

    #[test]
    fn a_header_is_described_whole() {
        let header = Header::read(&mut sample().as_slice(), tag::HEADER_IMMUTABLE).expect("a header");
        let info = describe(&header).expect("a description");
        assert_eq!(info.evr(), "1.0~rc1-1.el9");
        assert_eq!(info.files[1].link.as_deref(), Some("acme"));
        assert!(info.files[2].ghost && info.files[2].path == "/usr/lib/directory");
        let libc = &info.requires[1];
        assert_eq!((libc.sense(), libc.epoch_version_release()), (Some("GE"), ("1", "2", "3")));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..Default::default() })]

        /// A hostile package has good digests; nothing else stands between its header and this parser.
        #[test]
        fn no_header_makes_the_parser_panic(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        ) {
            let mut bytes = sample();
            for (index, value) in changes {
                let at = index.index(bytes.len());
                bytes[at] = value;
            }
            if let Ok(header) = Header::read(&mut bytes.as_slice(), tag::HEADER_IMMUTABLE) {
                let _ = describe(&header);
            }
        }
    }
}
