//! From an archive that is not there yet to its compressed bytes: cut, compressed on all cores, put together in order.
//!
//! An archive (tar for a .deb, cpio for an .rpm) is a plan first: headers, and contents that stay where they are. It is cut
//! at boundaries that stay put when something else changes, each block is compressed on its own, and the blocks are put
//! together to what every reader takes for one ordinary stream. Compressed blocks are kept by the hash of what they were
//! made from; the bytes depend on the plan and the settings alone, never on what was kept.

mod codec;
#[allow(dead_code, reason = "taken out with the first packer that calls it")]
mod cut;
#[allow(dead_code, reason = "taken out with the first packer that calls it")]
mod gzip;
#[cfg(test)]
mod samples;
#[allow(dead_code, reason = "taken out with the first packer that calls it")]
mod xz;
