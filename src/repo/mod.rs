//! Signed apt and yum repositories: a directory that `apt`, `dnf` and `zypper` trust.
//!
//! [`init`] makes one, [`publish`] puts packages of both formats into it, [`keys`] makes and reads the key that signs.
//! The pool is immutable; indices lie under names that say their content; the small signed one (`InRelease`,
//! `repomd.xml`) is replaced last, in one step. So a reader at any moment, and a publisher killed at any instruction, sees
//! the old state or the new. Formats: DebianRepository/Format, createrepo_c's output, RFC 9580.
//!
//! What a [`suite`] holds stands in a [`root`], one for each generation: [`cell`]s of content-addressed [`shard`]s, which hold
//! a [`record`] of each package and its texts in all indices. Whoever changes a suite takes the lock (`writer`), says what
//! changes (`change`), and gets the next generation (`commit`); only touched shards are made anew. `sweep` removes what nobody
//! needs any more.

mod apt;
pub mod cell;
mod change;
mod commit;
mod compress;
mod error;
mod groups;
mod index;
mod ingest;
mod layout;
pub mod options;
pub mod page;
pub mod phase;
mod pool;
mod publish;
mod published;
pub mod record;
pub mod root;
pub mod serve;
pub mod shard;
mod snippets;
mod spool;
mod stage;
mod store;
pub mod suite;
mod sweep;
pub mod travel;
pub mod trust;
mod writer;
mod yum;

pub use error::RepoError;
pub use groups::set_groups;
pub use ingest::Item;
pub use layout::{CONFIGURATION, Configuration, NewRepository, Repository, init, open};
pub use publish::{PublishOptions, Published, PublishedSuite, publish};
pub use published::{InSuite, in_suite};
pub use suite::{Kind, Suite};
pub use trust::{keys, sign};
