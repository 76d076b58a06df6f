//! Debian's binary packages: deb(5), deb-control(5), Policy chapters 3 to 6.

mod archive;
mod read;
mod stanza;
mod tar_reader;

pub use read::{DebInfo, Files, read};
