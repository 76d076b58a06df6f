//! RPM packages, format version 4: read by every rpm from 4.x to 6.x (rpm's documentation, "RPM package format").

mod header;
mod read;
mod tag;

pub use read::{ChangelogEntry, Dependency, RpmInfo, read};
