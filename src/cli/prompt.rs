//! Asks for a passphrase on the terminal, without showing it.

use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::Path;

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

use crate::repo::RepoError;

/// The end of a line that somebody does not want to finish: Ctrl-C.
const CANCEL: u8 = 3;

/// The passphrase of the key in `file`; `None` when nobody sits at a terminal.
pub(super) fn passphrase(file: &Path) -> Result<Option<String>, RepoError> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(None);
    }
    let Ok(terminal) = fs_err::OpenOptions::new().read(true).write(true).open("/dev/tty") else { return Ok(None) };
    ask(&terminal, &format!("Passphrase of {}: ", file.display())).map(Some).map_err(RepoError::asking)
}

/// A new passphrase, asked for twice.
pub(super) fn new_passphrase(file: &Path) -> Result<Option<String>, RepoError> {
    let Some(first) = passphrase(file)? else { return Ok(None) };
    if passphrase(Path::new("the new key, again"))?.as_deref() != Some(&first) {
        return Err(RepoError::asking(std::io::Error::other("the two passphrases differ")));
    }
    Ok(Some(first))
}

/// Restores a terminal's modes, however the question ends.
struct Restored<'a> {
    terminal: &'a fs_err::File,
    modes: Termios,
}

impl Drop for Restored<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal.file(), OptionalActions::Flush, &self.modes);
    }
}

fn ask(mut terminal: &fs_err::File, question: &str) -> std::io::Result<String> {
    let modes = tcgetattr(terminal.file())?;
    let mut silent = modes.clone();
    // Ctrl-C ends the line instead of us: who is killed leaves a terminal that shows nothing.
    silent.local_modes.remove(LocalModes::ECHO | LocalModes::ISIG);
    silent.special_codes[SpecialCodeIndex::VEOL] = CANCEL;
    let restored = Restored { terminal, modes };
    tcsetattr(terminal.file(), OptionalActions::Flush, &silent)?;
    terminal.write_all(question.as_bytes())?;
    let mut line = Vec::new();
    let mut byte = [0_u8];
    while terminal.read(&mut byte)? == 1 && byte != *b"\n" && byte != [CANCEL] {
        line.extend(byte);
    }
    drop(restored);
    terminal.write_all(b"\n")?;
    if byte == [CANCEL] {
        return Err(std::io::Error::new(std::io::ErrorKind::Interrupted, "nothing was entered"));
    }
    String::from_utf8(line).map_err(std::io::Error::other)
}
