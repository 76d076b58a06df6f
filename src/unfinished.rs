//! Files and directories that have no name yet.
//!
//! They vanish when the value that holds them is dropped, which an interrupted program does not come to. So their names tell
//! this run, and the places where they are made are remembered: [`remove_all`] takes them away.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tempfile::{Builder, NamedTempFile, TempDir};

/// Where this run has made any.
static PLACES: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// In the names of all that this run makes. Processes of two containers that share a cache may have the same number.
static RUN: LazyLock<String> = LazyLock::new(|| {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}-{}-", std::process::id(), now.as_nanos())
});

/// A file in `directory`, with this `mode` but for the umask.
pub(crate) fn file(directory: &Path, prefix: &str, suffix: &str, mode: u32) -> std::io::Result<NamedTempFile> {
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
    let prefix = in_place(directory, prefix);
    Builder::new().prefix(&prefix).suffix(suffix).permissions(permissions).tempfile_in(directory)
}

/// A directory in `directory`.
pub(crate) fn directory(directory: &Path, prefix: &str) -> std::io::Result<TempDir> {
    Builder::new().prefix(&in_place(directory, prefix)).tempdir_in(directory)
}

fn in_place(directory: &Path, prefix: &str) -> String {
    let mut places = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
    if !places.contains(directory) {
        places.insert(directory.to_path_buf());
    }
    format!("{prefix}{}", *RUN)
}

/// Removes all that this run has left unfinished, for the program's interrupt handler: from now on whoever wants to begin
/// something waits for ever.
pub(crate) fn remove_all() {
    let places = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
    for place in places.iter() {
        // Others may still be writing below.
        for _ in 0..20 {
            let entries = fs_err::read_dir(place).into_iter().flatten().flatten();
            let own: Vec<PathBuf> = entries
                .filter(|entry| entry.file_name().to_string_lossy().contains(RUN.as_str()))
                .map(|entry| entry.path())
                .collect();
            if own.is_empty() {
                break;
            }
            own.iter().for_each(|path| crate::cache::record::forget(path));
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    std::mem::forget(places);
}
