//! The last steps of a commit to an apt suite.
//!
//! Plain names and `Release` with `Release.gpg`, for clients that know neither by-hash nor `InRelease`, go before; the
//! rename of `InRelease` is the moment of publication. A client that began with the index before still finds all its by-hash
//! files.

use super::{Dressed, Next, Switch};
use crate::digest::Sha256;
use crate::repo::apt::release::Release;
use crate::repo::error::RepoError;
use crate::repo::index::Content;
use crate::repo::layout::Configuration;
use crate::repo::sign::Signer;
use crate::repo::store::{self, Store};

/// Signs the new generation and prepares its files.
pub(super) fn dress(
    store: &Store,
    configuration: &Configuration,
    next: &mut Next,
    signer: &Signer,
) -> Result<Dressed, RepoError> {
    let suite = next.root.suite.clone();
    let failed = || RepoError::io(format!("the index of {} could not be written", suite.name));
    let root = &mut next.root;
    let directory = root.suite.index_directory();
    let release = Release { configuration, root }.text()?;
    // Two signatures at once: with RSA they are much of the time that a small change takes.
    let (detached, in_release) =
        rayon::join(|| signer.detached(release.as_bytes(), root.date), || signer.cleartext(&release, root.date));
    let (detached, in_release) = (detached?, in_release?);
    let mut staged = Vec::new();
    for (name, content) in [("Release", release.as_bytes()), ("Release.gpg", detached.as_bytes())] {
        let place = format!("{directory}/{name}");
        root.beside.insert(place.clone(), Sha256::of(content));
        staged.push((store.prepared(content).map_err(failed())?, place));
    }
    let index = store.prepared(in_release.as_bytes()).map_err(failed())?;
    store::touch(&index, root.stamp).map_err(failed())?;
    Ok(Dressed { index: Sha256::of(in_release.as_bytes()), staged, switch: Switch::File(index, root.suite.index()) })
}

/// Puts the index files in their places: by-hash, and hard links of them under plain names.
pub(super) fn place(store: &Store, next: &mut Next) -> Result<(), RepoError> {
    let suite = &next.root.suite;
    let failed = || RepoError::io(format!("the index of {} could not be written", suite.name));
    for built in next.built.drain(..) {
        let place = built.file.place(suite);
        let plain = built.file.plain_place(suite);
        match built.content {
            Content::New(written) => {
                store.place(written.settled().map_err(failed())?, &place).map_err(failed())?;
            }
            Content::At(held) if held != place => store.link(&held, &place).map_err(failed())?,
            // It was there before, and so was its plain name unless a publisher was killed.
            Content::At(_) if !next.unfinished && store.path(&plain).exists() => continue,
            Content::At(_) => {}
        }
        store.link(&place, &plain).map_err(failed())?;
    }
    Ok(())
}
