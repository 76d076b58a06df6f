//! What can go wrong between packhouse and a server, and what to do about each.

use std::io;
use std::time::Duration;

use crate::diagnostic::{Code, Diagnose, ExitCode, Location, codes, io_code, io_hints};
use crate::digest::Sha256;

/// An error of fetching. URLs in it are without logins and signatures ([`super::address::public`]).
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The network is needed and must not be used.
    #[error("{url} is not in the cache, and --offline forbids to fetch it")]
    Offline {
        /// What was needed.
        url: String,
    },
    /// The text is no URL that can be fetched.
    #[error("`{url}` cannot be fetched: {reason}")]
    Address {
        /// The text.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// No answer, or one that broke off.
    #[error("cannot fetch {url}: {reason}")]
    Network {
        /// What was asked for.
        url: String,
        /// What happened.
        reason: String,
        /// The server's certificate was not accepted.
        certificate: bool,
    },
    /// The server said no.
    #[error("cannot fetch {url}: the server answered {status}{}", reason(*.status))]
    Status {
        /// What was asked for.
        url: String,
        /// The HTTP status.
        status: u16,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
        /// Whether a login was sent.
        login_sent: bool,
    },
    /// A redirect that is not followed.
    #[error("{url} redirects to {to}: {reason}")]
    Redirect {
        /// What was asked for.
        url: String,
        /// Where it leads.
        to: String,
        /// Why that is refused.
        reason: &'static str,
    },
    /// The server wrapped the bytes.
    #[error("{url} was sent with the content encoding `{encoding}`, although the bytes as they are were asked for")]
    Encoded {
        /// What was asked for.
        url: String,
        /// The header's value.
        encoding: String,
    },
    /// More than is accepted.
    #[error("{url} is longer than {limit} bytes")]
    TooLong {
        /// What was asked for.
        url: String,
        /// The most that is accepted.
        limit: u64,
    },
    /// The size is another one than the lock's.
    #[error("{name} from {url} has {got} bytes where {expected} were expected")]
    Size {
        /// The file.
        name: String,
        /// Where it came from.
        url: String,
        /// Bytes in the lock.
        expected: u64,
        /// Bytes that the server has: a number, or `more than N`.
        got: String,
    },
    /// The content is another one than the lock's.
    #[error(
        "{name} from {url} does not have the expected content\n  expected sha256 {expected}\n  got      sha256 {got}"
    )]
    Hash {
        /// The file.
        name: String,
        /// Where it came from.
        url: String,
        /// In the lock.
        expected: Sha256,
        /// Of what came.
        got: Sha256,
    },
    /// A file without known digest over a connection that anybody can change.
    #[error("{name} has no known SHA-256 and {url} is not https")]
    Unprotected {
        /// The file.
        name: String,
        /// Where it would come from.
        url: String,
    },
    /// A proxy variable that makes no sense.
    #[error("the proxy in {variable} cannot be used: {reason}")]
    Proxy {
        /// The environment variable.
        variable: &'static str,
        /// What is wrong.
        reason: &'static str,
    },
    /// A netrc file that cannot be understood.
    #[error("this netrc file cannot be read: {message}")]
    Netrc {
        /// What is wrong.
        message: &'static str,
        /// Where; its text is blanked so that no secret is shown.
        location: Box<Location>,
    },
    /// The keyring command failed in another way than having no such entry.
    #[error("the keyring command failed: {reason}")]
    Keyring {
        /// What happened.
        reason: String,
    },
    /// The cache cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

fn reason(status: u16) -> &'static str {
    match status {
        401 => " (login needed)",
        403 => " (forbidden)",
        404 => " (not found)",
        410 => " (gone)",
        429 => " (too many requests)",
        500..=599 => " (the server's fault)",
        _ => "",
    }
}

impl Error {
    /// Whether the same request may succeed when it is made again. Never for content that is not what the lock says.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Network { certificate, .. } => !certificate,
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500 | 502..=504),
            _ => false,
        }
    }

    /// How long the server asks to wait.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether the server has no such thing.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Status { status: 404 | 410, .. })
    }
}

impl Diagnose for Error {
    fn code(&self) -> &'static Code {
        match self {
            Self::Offline { .. } => &codes::OFFLINE,
            Self::Address { .. } => &codes::INVALID_ADDRESS,
            Self::Network { certificate: true, .. } => &codes::CERTIFICATE_NOT_TRUSTED,
            Self::Network { .. } => &codes::NETWORK_FAILED,
            Self::Status { status: 401 | 403, .. } => &codes::LOGIN_REFUSED,
            Self::Status { status: 404 | 410, .. } => &codes::NOT_ON_SERVER,
            Self::Status { .. } => &codes::SERVER_ERROR,
            Self::Redirect { .. } => &codes::REDIRECT_REFUSED,
            Self::Encoded { .. } | Self::TooLong { .. } => &codes::DOWNLOAD_UNUSABLE,
            Self::Size { .. } | Self::Hash { .. } => &codes::DOWNLOAD_CHANGED,
            Self::Unprotected { .. } => &codes::DOWNLOAD_UNPROTECTED,
            Self::Proxy { .. } => &codes::INVALID_PROXY,
            Self::Netrc { .. } => &codes::INVALID_NETRC,
            Self::Keyring { .. } => &codes::KEYRING_FAILED,
            Self::Io(error) => io_code(error),
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Proxy { .. } | Self::Netrc { .. } | Self::Address { .. } => ExitCode::Usage,
            Self::Keyring { .. } => ExitCode::Environment,
            _ => ExitCode::Failed,
        }
    }

    fn location(&self) -> Option<&Location> {
        match self {
            Self::Netrc { location, .. } => Some(location),
            _ => None,
        }
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Offline { .. } => "run the command once without --offline",
            Self::Network { certificate: true, .. } => {
                "if the server's authority is your own, name its certificate in SSL_CERT_FILE or add it to the system's"
            }
            Self::Network { .. } => {
                "check the connection and HTTPS_PROXY/NO_PROXY, then run the command again: it goes on where it stopped"
            }
            Self::Status { status: 401 | 403, login_sent: false, .. } => {
                "give a login in PACKHOUSE_INDEX_<NAME>_USERNAME and _PASSWORD, in ~/.netrc, or with PACKHOUSE_KEYRING=subprocess"
            }
            Self::Status { status: 401 | 403, login_sent: true, .. } => {
                "the login that was sent is not accepted: check it"
            }
            Self::Status { status: 404 | 410, .. } => "if the file is gone, `packhouse lock` finds what there is now",
            Self::Status { .. } => "try again later",
            Self::Redirect { .. } => {
                "name the address it leads to in the configuration, if that is where it should come from"
            }
            Self::Encoded { .. } => "have the server send archives without Content-Encoding",
            Self::Size { .. } | Self::Hash { .. } => {
                "nothing was kept; if the file was replaced on purpose, `packhouse lock` records the new one, else somebody changed it"
            }
            Self::Unprotected { .. } => "give its digest (`--hash=sha256:…` or `#sha256=…`), or an https address",
            Self::Proxy { .. } => "write it as http://[user:password@]host:port",
            Self::Netrc { .. } => "see `man netrc`; NETRC names another file",
            Self::Keyring { .. } => "run `keyring get URL USER` by hand, or unset PACKHOUSE_KEYRING",
            Self::Io(error) => return io_hints(error),
            Self::Address { .. } | Self::TooLong { .. } => return Vec::new(),
        };
        vec![hint.to_owned()]
    }
}
