//! How long a file is, without fetching it.

use std::io::Read as _;

use ureq::http::header;
use url::Url;

use super::address::public;
use super::client::{Client, status_error};
use super::download::local_path;
use super::error::Error;
use super::retry::with_retries;

impl Client {
    /// The length of the file at `url` in bytes. One byte of it is asked for, because servers that redirect to a store
    /// with signed URLs often refuse HEAD there; the answer says how many there are (RFC 9110, 14.4).
    pub fn length(&self, url: &Url) -> Result<u64, Error> {
        if url.scheme() == "file" {
            return Ok(fs_err::metadata(local_path(url)?)?.len());
        }
        with_retries(self.pause, || {
            let headers = [(header::RANGE, "bytes=0-0"), (header::ACCEPT_ENCODING, "identity")];
            let answer = self.open(url, &headers)?;
            let length = match answer.status {
                200 => answer.header(header::CONTENT_LENGTH).and_then(|value| value.trim().parse().ok()),
                206 => answer
                    .header(header::CONTENT_RANGE)
                    .and_then(|value| value.rsplit_once('/'))
                    .and_then(|(_, total)| total.trim().parse().ok()),
                // An empty file has no first byte.
                416 => Some(0),
                _ => return Err(status_error(url, &answer, false)),
            };
            if answer.status == 206 {
                // The one byte is read, so that the connection can be used again.
                let mut rest = Vec::new();
                let _ = answer.body.into_reader().take(64).read_to_end(&mut rest);
            }
            let reason = "the server does not say how long it is";
            length.ok_or_else(|| Error::Address { url: public(url), reason })
        })
    }
}
