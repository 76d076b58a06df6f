//! Who vouches for a repository: keys, where they are kept, what signs, and what clients think of it.
//!
//! [`keys`] makes and reads keys; [`source`] finds the one that is to sign, be it a file, gpg's agent or a command in
//! front of a hardware module; [`sign`] gives the signatures, several at once while a key is being replaced. One table,
//! `clients`, says what each distribution refuses and from when: [`lint`] tells it to people, `policy` obeys it.

mod certificate;
mod clients;
mod external;
pub mod keys;
pub mod lint;
pub mod passphrase;
mod policy;
mod resign;
pub mod rotation;
pub mod sign;
pub mod source;
