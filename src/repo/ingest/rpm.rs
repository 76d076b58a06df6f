//! What an .rpm must be to be published, beyond what its reader asks of it (`format/rpm/read.rs`), and its signing.

use std::io;
use std::path::Path;

use super::{Facts, as_io, refused};
use crate::digest::Sha256;
use crate::format::rpm::{self, RpmInfo};
use crate::repo::error::RepoError;
use crate::repo::record::{Entry, Identity, Record};
use crate::repo::sign::Signer;
use crate::repo::store::{Copied, Store};
use crate::repo::yum;

/// Control characters have no place in names (XML could not hold them either), and a file is where its path says.
pub(super) fn check(path: &Path, info: &RpmInfo) -> Result<(), RepoError> {
    let refuse = |reason: String| Err(RepoError::refused(path, reason));
    let lists = [
        &info.provides,
        &info.requires,
        &info.conflicts,
        &info.obsoletes,
        &info.recommends,
        &info.suggests,
        &info.supplements,
        &info.enhances,
    ];
    for dependency in lists.into_iter().flatten() {
        for text in [&dependency.name, &dependency.version] {
            if text.chars().any(char::is_control) {
                return refuse(format!("its relation `{}` has a control character", text.escape_debug()));
            }
        }
    }
    let is_source = info.source_rpm.is_none();
    for file in &info.files {
        let shown = file.path.escape_debug();
        if file.path.chars().any(char::is_control) {
            return refuse(format!("the name of its file `{shown}` has a control character"));
        }
        // A source package's files lie in no directory.
        let below = if is_source { Some(file.path.as_str()) } else { file.path.strip_prefix('/') };
        let leaves = |below: &str| below.split('/').any(|part| matches!(part, "." | ".."));
        if below.is_none_or(|below| leaves(below) || (is_source && below.contains('/'))) {
            return refuse(format!("its file `{shown}` has no absolute path without `.` and `..`"));
        }
    }
    if let Some(source) = &info.source_rpm
        && !source.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/')
    {
        return refuse(format!("`{}` cannot be the name of its source package", source.escape_debug()));
    }
    Ok(())
}

/// What an .rpm becomes in metadata, as it is. `original` is the digest of the file that was given; `tag` goes into its place
/// when the usual one is taken by another content.
pub(in crate::repo) fn rpm_entry(
    info: &RpmInfo,
    file: &Facts,
    original: Sha256,
    content: Sha256,
    tag: Option<Sha256>,
) -> Entry {
    // `acme-1.0-1.el9.src.rpm`
    let mut source = info.source_rpm.as_deref().unwrap_or_default().trim_end_matches(".src.rpm").rsplitn(3, '-');
    let (release, version, name) = (source.next(), source.next(), source.next());
    let source_version = version.zip(release).map(|(version, release)| format!("{version}-{release}"));
    let version = yum::version(info);
    let record = Record {
        identity: Identity {
            name: info.name.clone(),
            version: version.clone(),
            architecture: info.architecture.clone(),
        },
        source: name.unwrap_or(&info.name).to_owned(),
        source_version: source_version.unwrap_or(version),
        component: String::new(),
        place: yum::location(&info.name, &info.version, &info.release, &info.architecture, tag),
        size: file.size,
        sha256: file.sha256,
        content,
        original,
        published: file.published,
        phase: None,
        further: Vec::new(),
    };
    Entry { texts: yum::texts(info, &record), record }
}

/// The .rpm with a signature of our key, of which `info` tells then; `None` when it has one.
pub(in crate::repo) fn signed(
    store: &Store,
    copy: &Copied,
    info: &mut RpmInfo,
    signer: &Signer,
    time: i64,
) -> Result<Option<Copied>, RepoError> {
    let held = rpm::header_signature(&copy.file).map_err(|error| refused(&copy.file, error))?;
    if held.is_some_and(|held| signer.has_signed(&held.signature, &held.header)) {
        return Ok(None);
    }
    let mut sign = |header: &[u8]| signer.detached_binary(header, time).map_err(rpm::SignerError::from);
    let mut header = info.header_range;
    let signed = store.produce(|writer| -> io::Result<()> {
        header = rpm::sign(&copy.file, writer, &mut sign).map_err(as_io)?;
        Ok(())
    });
    let signed = signed.map_err(RepoError::io("the package could not be signed"))?;
    // Nothing else of it is other than before.
    (info.signed, info.header_range, info.package_size) = (true, header, signed.size);
    Ok(Some(signed))
}
