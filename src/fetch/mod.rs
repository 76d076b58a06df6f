//! Fetching files over the network: the one place of packhouse that opens a connection.
//!
//! What comes from outside is not believed. A file is hashed while it is written, its size is checked as it grows, and it
//! comes into the cache by one rename only when both are right; so whatever opens a file of the cache opens what a lock
//! names. Secrets stay in [`credentials`] and go to the host they are for, to no other, whatever a redirect says.
//!
//! TLS trusts what the system trusts (`SSL_CERT_FILE` and `SSL_CERT_DIR` in its place), nothing bundled: a company's own
//! authority is where the administrator has put it.

pub mod address;
mod client;
pub mod credentials;
mod download;
mod error;
mod keyring;
mod length;
mod netrc;
mod part;
mod proxy;
mod retry;

#[cfg(test)]
pub(crate) mod server;
#[cfg(test)]
mod tests;

pub use client::{Client, Response};
pub use download::{Download, Fetched, LARGEST_FILE, download};
pub use error::Error;
