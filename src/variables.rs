//! Every environment variable that packhouse reads. Each constant's documentation is the user's documentation;
//! `docs/environment.md` is generated from this file.

/// Where packhouse keeps its cache (downloads, unpacked wheels, tools). Default: `$XDG_CACHE_HOME/packhouse`, else
/// `~/.cache/packhouse`.
pub const PACKHOUSE_CACHE_DIR: &str = "PACKHOUSE_CACHE_DIR";
/// The base of per-user caches (XDG Base Directory Specification).
pub const XDG_CACHE_HOME: &str = "XDG_CACHE_HOME";
/// The user's home directory, for the default cache and `.netrc`.
pub const HOME: &str = "HOME";
/// Seconds since 1970-01-01 UTC that stand in every artefact instead of the commit's time
/// (<https://reproducible-builds.org/specs/source-date-epoch/>).
pub const SOURCE_DATE_EPOCH: &str = "SOURCE_DATE_EPOCH";
/// `auto` (default), `require` or `none`: whether build steps must run in namespaces without network.
pub const PACKHOUSE_SANDBOX: &str = "PACKHOUSE_SANDBOX";
/// A PEM file with the certificates to trust instead of the system's.
pub const SSL_CERT_FILE: &str = "SSL_CERT_FILE";
/// A directory with the certificates to trust instead of the system's.
pub const SSL_CERT_DIR: &str = "SSL_CERT_DIR";
/// The passphrase of the signing key, when its file is locked with one; `key generate` locks the new key with it.
pub const PACKHOUSE_KEY_PASSPHRASE: &str = "PACKHOUSE_KEY_PASSPHRASE";
