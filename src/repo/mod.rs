//! Signed apt and yum repositories: a directory that `apt`, `dnf` and `zypper` trust.
//!
//! [`init`] makes one, [`publish`] puts packages of both formats into it, [`keys`] makes and reads the key that signs.
//! The pool is immutable; indices lie under names that say their content; the small signed root (`InRelease`,
//! `repomd.xml`) is replaced last, in one step. So a reader at any moment, and a publisher killed at any instruction, sees
//! the old state or the new. Formats: DebianRepository/Format, createrepo_c's output, RFC 9580.

mod apt;
pub mod cell;
#[allow(dead_code)]
mod change;
#[allow(dead_code)]
mod commit;
mod compress;
mod error;
pub mod import;
mod ingest;
mod key_policy;
pub mod keys;
mod layout;
pub mod options;
mod plan;
mod pool;
mod primary;
mod publish;
mod published;
pub mod record;
mod release;
#[allow(dead_code)]
pub mod root;
#[allow(dead_code)]
pub mod shard;
pub mod sign;
mod snippets;
mod stage;
mod state;
mod store;
pub mod suite;
#[allow(dead_code)]
mod sweep;
pub mod verify;
#[allow(dead_code)]
mod writer;
mod yum;

pub use error::RepoError;
pub use ingest::Item;
pub use layout::{CONFIGURATION, Configuration, NewRepository, Repository, init, open};
pub use publish::{PublishOptions, Published, PublishedSuite, publish};
pub use published::{InSuite, in_suite};
pub use suite::{Kind, Suite};
