//! Source packages: a .dsc and the files that lie beside it, each with the SHA-256 that the .dsc says.

use std::io::{self, Read, Write};
use std::path::Path;

use md5::{Digest as _, Md5 as Hasher};

use super::deb::{OWNED_BY_THE_INDEX, is_one_field};
use super::{Facts, refused};
use crate::digest::{Digests, Md5, Sha256};
use crate::format::deb::{self, Dsc, SourceFile};
use crate::repo::apt::{self, sources};
use crate::repo::error::RepoError;
use crate::repo::record::{Entry, FurtherFile, Identity, Record};
use crate::repo::store::{Copied, Store};

/// Fields that a .dsc has and a binary package has not.
const ITS_OWN: [&str; 3] = ["Files", "Checksums-Sha1", "Checksums-Sha256"];

/// A source package that was taken in.
pub(in crate::repo) struct Source {
    pub(in crate::repo) dsc: Dsc,
    /// The digests of the .dsc itself.
    pub(in crate::repo) digests: Digests,
    /// The other files, with their MD5, in the .dsc's order.
    pub(in crate::repo) files: Vec<(SourceFile, Copied)>,
}

/// Whether a file that begins so is taken for a .dsc.
pub(super) fn is_source(path: &Path, begin: &[u8]) -> bool {
    path.extension().is_some_and(|extension| extension == "dsc") || begin.starts_with(b"-----BEG")
}

/// Judges the copy of the .dsc at `path`, and copies its files.
pub(super) fn take(store: &Store, path: &Path, copy: &Copied) -> Result<Source, RepoError> {
    let failed = || RepoError::io(format!("{} could not be taken in", path.display()));
    let mut text = Vec::new();
    fs_err::File::open(&copy.file)
        .and_then(|file| file.take(deb::MAX_DSC + 1).read_to_end(&mut text))
        .map_err(failed())?;
    let dsc = deb::parse_dsc(path, &text).map_err(|error| refused(path, error))?;
    for (name, value) in &dsc.fields {
        let is = |owned: &&str| owned.eq_ignore_ascii_case(name);
        if OWNED_BY_THE_INDEX.iter().any(|owned| is(owned)) && !ITS_OWN.iter().any(|own| is(own)) {
            return Err(RepoError::refused(path, format!("it has the field `{name}`, which only an index may have")));
        }
        if !is_one_field(value) {
            return Err(RepoError::refused(path, format!("its field `{name}` is malformed")));
        }
    }
    let files = dsc.files.iter().map(|file| take_file(store, path, file)).collect::<Result<_, _>>()?;
    Ok(Source { digests: Digests::of(&text), dsc, files })
}

/// What a source package becomes in an index. `tag` goes into its directory when the name of one of its files is taken there
/// by another content.
pub(in crate::repo) fn source_entry(source: &Source, component: &str, file: &Facts, tag: Option<Sha256>) -> Entry {
    let Source { dsc, digests, files } = source;
    let directory = apt::pool_directory(component, dsc.source(), tag);
    let listed: Vec<&SourceFile> = files.iter().map(|(file, _)| file).collect();
    let text = sources::stanza(dsc, &directory, digests, &listed);
    let further = |file: &&SourceFile| {
        let place = format!("{directory}/{}", file.name);
        FurtherFile { place, size: file.size, sha256: file.sha256 }
    };
    let identity = Identity {
        name: dsc.source().to_owned(),
        version: dsc.version().to_owned(),
        architecture: "source".to_owned(),
    };
    let record = Record {
        source: identity.name.clone(),
        source_version: identity.version.clone(),
        identity,
        component: component.to_owned(),
        place: format!("{directory}/{}", dsc.file_name()),
        size: file.size,
        sha256: file.sha256,
        content: file.sha256,
        original: file.sha256,
        published: file.published,
        phase: None,
        further: listed.iter().map(further).collect(),
    };
    Entry { record, texts: vec![text.into_bytes()] }
}

/// Copies one of its files, no more of it than the .dsc says.
fn take_file(store: &Store, dsc: &Path, listed: &SourceFile) -> Result<(SourceFile, Copied), RepoError> {
    let path = dsc.parent().unwrap_or(Path::new("")).join(&listed.name);
    let failed = || RepoError::io(format!("{}, which {} names, could not be taken in", path.display(), dsc.display()));
    if !fs_err::metadata(&path).map_err(failed())?.is_file() {
        return Err(RepoError::refused(&path, "this is no regular file"));
    }
    let mut source = fs_err::File::open(&path).map_err(failed())?.take(listed.size.saturating_add(1));
    let mut hasher = Hasher::new();
    let copy = store
        .produce(|writer| io::copy(&mut source, &mut Both { writer, hasher: &mut hasher }).map(drop))
        .map_err(failed())?;
    let md5 = Md5(hasher.finalize().into());
    let differs =
        copy.size != listed.size || copy.sha256 != listed.sha256 || listed.md5.is_some_and(|held| held != md5);
    if differs {
        return Err(RepoError::refused(&path, format!("it is not the file that {} names", dsc.display())));
    }
    Ok((SourceFile { md5: Some(md5), ..listed.clone() }, copy))
}

/// Writes, and hashes what is written.
struct Both<'a> {
    writer: &'a mut dyn Write,
    hasher: &'a mut Hasher,
}

impl Write for Both<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let length = self.writer.write(buffer)?;
        self.hasher.update(buffer.get(..length).unwrap_or_default());
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}
