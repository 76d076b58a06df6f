//! Signed apt and yum repositories.

mod error;
mod key_policy;
pub mod keys;
pub mod sign;
mod store;

pub use error::RepoError;
