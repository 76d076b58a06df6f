//! Debian's binary packages: deb(5), deb-control(5), Policy chapters 3 to 6.

mod archive;
mod control;
mod dsc;
mod owner;
mod read;
mod stanza;
mod tar_reader;
mod tar_writer;
mod write;

pub(crate) use dsc::MAX_SIZE as MAX_DSC;
pub use dsc::{Dsc, SourceFile, parse as parse_dsc};
pub use read::{DebInfo, Files, Visitor, read, read_contents, read_from};
pub(super) use write::write;
