//! The passphrase of a secret key: from a file, from the environment, or, on a terminal, from whoever sits there.
//!
//! Asking is the front's matter ([`Ask`]); what is asked for only when nothing else gave it is never asked for without a
//! terminal, where nobody could answer.

use std::path::Path;

use crate::repo::error::RepoError;
use crate::variables;

/// Asks for the passphrase of the key in this file; `None` when there is nobody to ask.
pub type Ask<'a> = dyn Fn(&Path) -> Result<Option<String>, RepoError> + 'a;

/// The longest passphrase that is read.
const MAXIMAL_LENGTH: u64 = 64 * 1024;

/// The passphrase of `file`, else of the environment ([`variables::PACKHOUSE_KEY_PASSPHRASE`], then the file that
/// [`variables::PACKHOUSE_KEY_PASSPHRASE_FILE`] names). An empty variable is none.
pub fn given(file: Option<&Path>) -> Result<Option<String>, RepoError> {
    if let Some(file) = file {
        return read(file).map(Some);
    }
    let of = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    if let Some(passphrase) = of(variables::PACKHOUSE_KEY_PASSPHRASE) {
        return Ok(Some(passphrase));
    }
    of(variables::PACKHOUSE_KEY_PASSPHRASE_FILE).map(|file| read(Path::new(&file))).transpose()
}

/// The first line of a file that its owner alone can read.
fn read(path: &Path) -> Result<String, RepoError> {
    use std::io::Read as _;
    let failed = || RepoError::io("the passphrase could not be read");
    let file = fs_err::File::open(path).map_err(failed())?;
    check_private(path, file.file(), "the passphrase's file")?;
    let mut text = String::new();
    file.take(MAXIMAL_LENGTH).read_to_string(&mut text).map_err(failed())?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        return Err(RepoError::UnusableKey {
            path: path.to_path_buf(),
            reason: "its first line, the passphrase, is empty".to_owned(),
            hint: "write the passphrase into the first line".to_owned(),
        });
    }
    Ok(line.to_owned())
}

/// Refuses a secret that others can read, by ssh's rule: a file of our own that its group or others may touch. A file of
/// somebody else (a secret that a container is given) is not ours to judge, and a pipe has no permissions worth a word.
pub(super) fn check_private(path: &Path, file: &impl std::os::fd::AsFd, what: &str) -> Result<(), RepoError> {
    let stat =
        rustix::fs::fstat(file).map_err(|error| RepoError::io(format!("{what} could not be read"))(error.into()))?;
    let regular = rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file();
    if !regular || stat.st_uid != rustix::process::getuid().as_raw() || stat.st_mode & 0o077 == 0 {
        return Ok(());
    }
    Err(RepoError::UnusableKey {
        path: path.to_path_buf(),
        reason: format!("{what} can be read by others (mode {:04o})", stat.st_mode & 0o7777),
        hint: format!("`chmod 600 {}`; and if anybody may have read it, make a new key", path.display()),
    })
}
