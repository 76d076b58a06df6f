//! packhouse turns the services of a repository into operating-system packages that carry every dependency they need,
//! and publishes them to apt and yum repositories.
//!
//! The way the data goes, one direction, no way back; each arrow is one function of this library and one subcommand:
//!
//! ```text
//! repository ──discover──▶ Workspace ──lock──▶ Lock ──vendor──▶ vendor/ ──stage──▶ Tree ──pack──▶ .deb .rpm ──publish──▶ Repository
//! ```
//!
//! `workspace` and `ecosystem` make the tree, `format` and `repo` ship it; `package`, `tree`, `target` and `config` carry
//! both. Nothing stands on `cli`; `repo` and `ecosystem` do not know each other.

// Foundation: words that every stage uses.
pub mod cache;
pub mod diagnostic;
pub mod digest;
pub mod fingerprint;
pub mod name;
pub mod relation;
pub mod report;
mod stamp;
pub mod target;
mod unfinished;
pub mod variables;

// What the user wrote, and what was found.
pub mod config;
pub mod survey;
pub mod takeover;
pub mod workspace;

// From sources to a tree.
pub mod ecosystem;
pub mod fetch;
pub mod sandbox;
pub mod tree;

// From a tree to packages and repositories.
pub mod build;
pub mod check;
pub mod format;
pub mod fresh;
pub mod package;
pub mod repo;

// What the user types.
pub mod cli;
