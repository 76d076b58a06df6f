//! The client: one request, its redirects and its login.
//!
//! Redirects are followed here and not by the HTTP library, because each hop is a decision: where a login may go, and
//! that nobody leads from https to http.

use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ureq::http::{HeaderMap, HeaderName, header};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body};
use url::Url;

use super::address::{public, without_login};
use super::credentials::{Credentials, Login};
use super::error::Error;
use super::retry::{PAUSE, retry_after, with_retries};
use super::{download, proxy};

/// Redirects that are followed for one file.
const REDIRECTS: usize = 8;
/// Time to connect.
const CONNECT: Duration = Duration::from_secs(20);
/// Time without a byte after which a connection is given up.
const SILENCE: Duration = Duration::from_secs(60);

/// Fetches over http and https and from `file:` URLs. Shared by threads; keeps connections open.
#[derive(Debug)]
pub struct Client {
    https: Agent,
    http: Agent,
    credentials: Credentials,
    offline: bool,
    requests: AtomicU64,
    pub(super) pause: Duration,
}

/// A small answer, all of it.
#[derive(Debug, Clone)]
pub struct Response {
    /// The body, decoded.
    pub bytes: Vec<u8>,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `ETag`.
    pub etag: Option<String>,
    /// Where it came from, after redirects; relative references in it are relative to this.
    pub url: Url,
}

/// An answer whose body has not been read yet; its status is 200, 206 or 416.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
    pub(super) url: Url,
}

impl Answer {
    /// A header's value as text.
    pub(super) fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Client {
    /// A client with these logins. With `offline` every request but for `file:` is [`Error::Offline`].
    pub fn new(credentials: Credentials, offline: bool) -> Result<Self, Error> {
        Ok(Self {
            https: agent("https")?,
            http: agent("http")?,
            credentials,
            offline,
            requests: AtomicU64::new(0),
            pause: PAUSE,
        })
    }

    /// A client with the user's logins ([`Credentials::of_user`]).
    pub fn of_user(offline: bool) -> Result<Self, Error> {
        Self::new(Credentials::of_user()?, offline)
    }

    /// User and password from the keyring for the index at `url`, if the server wants some: for programs beside packhouse
    /// that ask the same index. The keyring is asked at most once, and only after the server has refused a request.
    pub fn keyring_login(&self, url: &Url) -> Result<Option<(String, String)>, Error> {
        if !self.credentials.has_keyring() || self.offline {
            return Ok(None);
        }
        let mut page = url.clone();
        page.set_path(&format!("{}/packhouse/", url.path().trim_end_matches('/')));
        match self.open(&page, &[]) {
            Err(error @ Error::Keyring { .. }) => Err(error),
            // Whether it has such a page is all the same.
            _ => Ok(self.credentials.asked(url).map(|login| (login.username, login.password.expose().to_owned()))),
        }
    }

    /// Whether the network must not be used.
    pub fn is_offline(&self) -> bool {
        self.offline
    }

    /// How many requests it has sent so far.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Fetches all of `url` with the header `Accept: accept`, at most `limit` bytes; with retries.
    pub fn get_bytes(&self, url: &Url, limit: u64, accept: &str) -> Result<Response, Error> {
        if url.scheme() == "file" {
            let mut file = fs_err::File::open(download::local_path(url)?)?;
            let bytes = read_limited(&mut file, limit, url, Error::Io)?;
            return Ok(Response { bytes, content_type: None, etag: None, url: url.clone() });
        }
        with_retries(self.pause, || {
            let headers = [(header::ACCEPT, accept), (header::ACCEPT_ENCODING, "gzip")];
            let mut answer = self.open(url, &headers)?;
            if answer.status != 200 {
                return Err(status_error(url, &answer, false));
            }
            let gzip = match answer.header(header::CONTENT_ENCODING).map(str::trim) {
                None | Some("" | "identity") => false,
                Some("gzip" | "x-gzip") => true,
                Some(encoding) => return Err(Error::Encoded { url: public(url), encoding: encoding.to_owned() }),
            };
            let body = answer.body.as_reader();
            let broken = |error| network_error(url, &error);
            let bytes = if gzip {
                read_limited(&mut flate2::read::MultiGzDecoder::new(body), limit, url, broken)?
            } else {
                read_limited(&mut { body }, limit, url, broken)?
            };
            let text = |name| answer.header(name).map(str::to_owned);
            let (content_type, etag) = (text(header::CONTENT_TYPE), text(header::ETAG));
            Ok(Response { bytes, content_type, etag, url: answer.url.clone() })
        })
    }

    /// Sends one request, follows its redirects, and logs in where that is asked for. No retries.
    pub(super) fn open(&self, url: &Url, headers: &[(HeaderName, &str)]) -> Result<Answer, Error> {
        let mut here = without_login(url.clone());
        if !matches!(here.scheme(), "http" | "https") {
            return Err(Error::Address { url: public(url), reason: "its scheme is not http, https or file" });
        }
        if self.offline {
            return Err(Error::Offline { url: public(url) });
        }
        let mut asked = false;
        let mut login = self.credentials.find(&here);
        for _ in 0..=REDIRECTS {
            let answer = self.send(&here, headers, login.as_ref())?;
            match answer.status {
                200 | 206 | 416 => return Ok(answer),
                301 | 302 | 303 | 307 | 308 => {
                    here = redirect(&here, &answer)?;
                    login = self.credentials.find(&here);
                    asked = false;
                }
                401 if !asked && login.as_ref().is_none_or(|login| login.password.expose().is_empty()) => {
                    asked = true;
                    match self.credentials.ask(&here)? {
                        Some(found) => login = Some(found),
                        None => return Err(status_error(&here, &answer, login.is_some())),
                    }
                }
                _ => return Err(status_error(&here, &answer, login.is_some())),
            }
        }
        Err(Error::Redirect { url: public(url), to: public(&here), reason: "there are too many redirects" })
    }

    fn send(&self, url: &Url, headers: &[(HeaderName, &str)], login: Option<&Login>) -> Result<Answer, Error> {
        let agent = if url.scheme() == "https" { &self.https } else { &self.http };
        let mut target = url.clone();
        target.set_fragment(None);
        let mut request = agent.get(target.as_str());
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        if let Some(login) = login {
            request = request.header(header::AUTHORIZATION, login.header().expose());
        }
        self.requests.fetch_add(1, Ordering::Relaxed);
        let response = request.call().map_err(|error| network_error(url, &error))?;
        let (parts, body) = response.into_parts();
        Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body, url: url.clone() })
    }
}

fn agent(scheme: &str) -> Result<Agent, Error> {
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    let config = Agent::config_builder()
        .tls_config(tls)
        .proxy(proxy::of_environment(scheme)?)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("packhouse/", env!("CARGO_PKG_VERSION")))
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(SILENCE))
        .timeout_per_read(Some(SILENCE))
        .max_idle_connections(2 * download::CONNECTIONS)
        .max_idle_connections_per_host(download::CONNECTIONS)
        .build();
    Ok(config.new_agent())
}

/// Where a redirect leads, if that is a place to go to.
fn redirect(from: &Url, answer: &Answer) -> Result<Url, Error> {
    let refuse = |to: String, reason| Err(Error::Redirect { url: public(from), to, reason });
    let Some(location) = answer.header(header::LOCATION) else {
        return refuse("nowhere".to_owned(), "the answer has no readable Location header");
    };
    let Ok(to) = from.join(location) else {
        return refuse("nowhere".to_owned(), "its Location header is no URL");
    };
    let to = without_login(to);
    match (from.scheme(), to.scheme()) {
        (_, "https") | ("http", "http") => Ok(to),
        ("https", "http") => refuse(public(&to), "from https to http is not followed"),
        _ => refuse(public(&to), "only http and https are followed"),
    }
}

pub(super) fn status_error(url: &Url, answer: &Answer, login_sent: bool) -> Error {
    let retry_after = answer.header(header::RETRY_AFTER).and_then(retry_after);
    Error::Status { url: public(url), status: answer.status, retry_after, login_sent }
}

/// The error of a connection. Neither the library's nor rustls' texts hold URLs or headers.
pub(super) fn network_error(url: &Url, error: &dyn std::error::Error) -> Error {
    let mut reason = error.to_string();
    if let Some(rest) = reason.strip_prefix("io: ") {
        reason = rest.to_owned();
    }
    let certificate = reason.contains("certificate") || reason.contains("UnknownIssuer");
    Error::Network { url: public(url), reason, certificate }
}

/// Reads all of `reader`; more than `limit` bytes are an error before they are kept.
fn read_limited<E>(
    reader: &mut dyn Read,
    limit: u64,
    url: &Url,
    broken: impl FnOnce(std::io::Error) -> E,
) -> Result<Vec<u8>, Error>
where
    Error: From<E>,
{
    let mut bytes = Vec::new();
    reader.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(broken)?;
    if bytes.len() as u64 > limit {
        return Err(Error::TooLong { url: public(url), limit });
    }
    Ok(bytes)
}
