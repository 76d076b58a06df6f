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
/// The base of per-user configuration (XDG Base Directory Specification); `uv/uv.toml` and `pip/pip.conf` are read below
/// it. Default: `~/.config`.
pub const XDG_CONFIG_HOME: &str = "XDG_CONFIG_HOME";
/// uv's: the index that is asked last, as `URL` or `NAME=URL`. Credentials in it never reach a lock or a log. Named
/// indexes take theirs from `UV_INDEX_<NAME>_USERNAME` and `UV_INDEX_<NAME>_PASSWORD` as well.
pub const UV_DEFAULT_INDEX: &str = "UV_DEFAULT_INDEX";
/// uv's older name of `UV_DEFAULT_INDEX`.
pub const UV_INDEX_URL: &str = "UV_INDEX_URL";
/// uv's: further indexes, separated by blanks, each as `URL` or `NAME=URL`.
pub const UV_INDEX: &str = "UV_INDEX";
/// uv's older name of `UV_INDEX`.
pub const UV_EXTRA_INDEX_URL: &str = "UV_EXTRA_INDEX_URL";
/// uv's: directories or pages with links to distributions, separated by commas.
pub const UV_FIND_LINKS: &str = "UV_FIND_LINKS";
/// uv's: the configuration file to read instead of the user's and the system's.
pub const UV_CONFIG_FILE: &str = "UV_CONFIG_FILE";
/// uv's: read no configuration file.
pub const UV_NO_CONFIG: &str = "UV_NO_CONFIG";
/// pip's: the index that is asked last.
pub const PIP_INDEX_URL: &str = "PIP_INDEX_URL";
/// pip's: further indexes, separated by blanks.
pub const PIP_EXTRA_INDEX_URL: &str = "PIP_EXTRA_INDEX_URL";
/// pip's: directories or pages with links to distributions, separated by blanks.
pub const PIP_FIND_LINKS: &str = "PIP_FIND_LINKS";
/// pip's: ask no index, only what `PIP_FIND_LINKS` and the like name.
pub const PIP_NO_INDEX: &str = "PIP_NO_INDEX";
/// pip's: a configuration file that is stronger than the user's and the system's; `/dev/null` turns all of them off.
pub const PIP_CONFIG_FILE: &str = "PIP_CONFIG_FILE";
/// The file with user names and passwords by host, read for downloads. Default: `~/.netrc`.
pub const NETRC: &str = "NETRC";
/// The proxy for https requests; the lower-case name is read too.
pub const HTTPS_PROXY: &str = "HTTPS_PROXY";
/// Hosts that are reached without the proxy; the lower-case name is read too.
pub const NO_PROXY: &str = "NO_PROXY";
