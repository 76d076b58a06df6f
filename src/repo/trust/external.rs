//! Signatures that somebody else makes: gpg with its agent, or a command in front of a hardware module or a key service.
//!
//! The contract, the same for both: the data on standard input, one OpenPGP signature packet (version 4, SHA-256 or
//! better, detached) on standard output, exit status 0. A command learns what is wanted from its environment:
//! `PACKHOUSE_SIGN_FORM` is `binary` (signature type 0x00) or `text` (0x01; line ends are CR LF already, so that hashing
//! the bytes as they come is right in both cases), `PACKHOUSE_SIGN_FINGERPRINT` is the certificate's. Nothing of it is
//! believed: the signature is checked against the certificate before it is used.

use std::io::{self, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::repo::error::RepoError;
use crate::sandbox::EndsWithUs;
use crate::variables;

/// How long a command may take. gpg's agent may be waiting for somebody who types, or who touches a card.
const TIME_LIMIT: Duration = Duration::from_secs(120);
/// More than any certificate or signature has.
const MAXIMAL_OUTPUT: u64 = 4 << 20;

/// How long after its end a program's children may keep its error stream open.
const LINGER: Duration = Duration::from_secs(1);

/// What kind of signature is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Over bytes.
    Binary,
    /// Over a text whose lines end with CR LF.
    Text,
}

/// Who signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum External {
    /// gpg, with this very key or subkey (fingerprint).
    Gpg { fingerprint: String },
    /// A program with its arguments.
    Command { program: String, arguments: Vec<String>, fingerprint: String },
}

impl External {
    /// Has `data` signed; gives what came back, unchecked.
    pub(super) fn sign(&self, form: Form, data: &[u8]) -> Result<Vec<u8>, RepoError> {
        let mut command = match self {
            Self::Gpg { fingerprint } => {
                let mut command = gpg();
                command.arg("--local-user").arg(format!("{fingerprint}!")).args(["--digest-algo", "SHA512"]);
                if form == Form::Text {
                    command.arg("--textmode");
                }
                command.args(["--output", "-", "--detach-sign"]);
                command
            }
            Self::Command { program, arguments, fingerprint } => {
                let mut command = Command::new(program);
                command.args(arguments).env("PACKHOUSE_SIGN_FINGERPRINT", fingerprint).env(
                    "PACKHOUSE_SIGN_FORM",
                    match form {
                        Form::Binary => "binary",
                        Form::Text => "text",
                    },
                );
                command
            }
        };
        run(&mut command, data, TIME_LIMIT)
    }
}

impl std::fmt::Display for External {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Gpg { fingerprint } => write!(formatter, "gpg:{fingerprint}"),
            Self::Command { program, .. } => write!(formatter, "command:{program}"),
        }
    }
}

/// The certificate that gpg holds for a fingerprint, binary.
pub(super) fn exported_by_gpg(fingerprint: &str) -> Result<Vec<u8>, RepoError> {
    run(gpg().args(["--export-options", "export-minimal", "--export", fingerprint]), b"", TIME_LIMIT)
}

/// Whether gpg, or its agent for it, has the secret half of a key.
pub(super) fn held_by_gpg(fingerprint: &str) -> Result<(), RepoError> {
    run(gpg().args(["--list-secret-keys", fingerprint]), b"", TIME_LIMIT).map(drop)
}

/// gpg as a program: it finds its keys where the environment's GNUPGHOME says.
fn gpg() -> Command {
    let mut command = Command::new("gpg");
    command.args(["--batch", "--no-tty", "--quiet"]);
    command
}

/// Feeds `data` to a command and gives what it writes. Passphrases of other keys stay out of its environment.
fn run(command: &mut Command, data: &[u8], limit: Duration) -> Result<Vec<u8>, RepoError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |reason: String| RepoError::Signer { program: program.clone(), reason };
    let command = command
        .env_remove(variables::PACKHOUSE_KEY_PASSPHRASE)
        .env_remove(variables::PACKHOUSE_KEY_PASSPHRASE_FILE)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let started = EndsWithUs::spawn(command);
    let (mut child, _ends) = started.map_err(|error| failed(format!("it cannot be started ({error})")))?;
    let (Some(mut stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(failed("it has no streams".to_owned()));
    };
    let data = data.to_vec();
    // Whoever holds the streams open when the time is over is not waited for.
    std::thread::spawn(move || {
        // A program that does not read all is judged by what it gives.
        let _ = stdin.write_all(&data);
    });
    let (given, said) = (collected(stdout), collected(stderr));
    let deadline = Instant::now() + limit;
    let given = given.recv_timeout(limit).ok();
    let status = wait(&mut child, deadline).map_err(|error| failed(error.to_string()))?;
    let (Some(given), Some(status)) = (given, status) else {
        return Err(failed(format!("it took longer than {} s and was ended", limit.as_secs())));
    };
    let said = said.recv_timeout(LINGER).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let said = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing").trim();
    if given.len() as u64 > MAXIMAL_OUTPUT {
        return Err(failed("it wrote far more than a signature".to_owned()));
    }
    if !status.success() {
        return Err(failed(format!("{status}: {said}")));
    }
    Ok(given)
}

/// How it ended; `None` when it had to be killed at the deadline.
fn wait(child: &mut Child, deadline: Instant) -> io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// What a stream gives until it ends, bounded.
fn collected(stream: impl Read + Send + 'static) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error is what there is; nobody may be waiting any more.
        let _ = stream.take(MAXIMAL_OUTPUT + 1).read_to_end(&mut bytes);
        let _ = sender.send(bytes);
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_command_gets_the_data_and_gives_the_signature() {
        assert_eq!(run(&mut shell("tr a-z A-Z"), b"data", TIME_LIMIT).unwrap(), b"DATA");
        let large = vec![b'x'; 1 << 20];
        assert_eq!(run(&mut shell("cat"), &large, TIME_LIMIT).unwrap(), large);
        assert_eq!(run(&mut shell("echo signature"), &large, TIME_LIMIT).unwrap(), b"signature\n");
    }

    #[test]
    fn what_a_command_complains_of_is_told() {
        let error = run(&mut shell("echo no card >&2; exit 3"), b"", TIME_LIMIT).unwrap_err().to_string();
        assert!(error.contains("no card") && error.contains('3'), "{error}");
        let error = run(&mut Command::new("/nonexistent/signer"), b"", TIME_LIMIT).unwrap_err().to_string();
        assert!(error.contains("cannot be started"), "{error}");
    }

    #[test]
    fn a_command_that_does_not_end_is_ended() {
        for script in ["exec sleep 60", "sleep 60; true", "exec >&-; sleep 60"] {
            let begin = Instant::now();
            let error = run(&mut shell(script), b"", Duration::from_millis(50)).unwrap_err().to_string();
            assert!(error.contains("longer than"), "{script}: {error}");
            assert!(begin.elapsed() < Duration::from_secs(20), "{script}");
        }
    }
}
