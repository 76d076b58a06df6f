//! Repositories, judged by the clients that people use: apt, gpgv, sqv, dnf, zypper, rpm.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::indexing_slicing, clippy::string_slice)]
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, missing_docs)]

mod apt;
mod crash;
mod differential;
mod extras;
mod hostile;
mod keys;
mod lint;
mod page;
mod phase;
mod rotation;
mod serve;
mod signers;
mod support;
mod travel;
mod yum;
