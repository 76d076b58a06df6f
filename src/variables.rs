//! Every environment variable that packhouse reads. Each constant's documentation is the user's documentation;
//! `docs/environment.md` is generated from this file.

use std::sync::OnceLock;

/// Where packhouse keeps its cache (downloads, unpacked wheels, tools). Default: `$XDG_CACHE_HOME/packhouse`, else
/// `~/.cache/packhouse`.
pub const PACKHOUSE_CACHE_DIR: &str = "PACKHOUSE_CACHE_DIR";
/// The most that the cache may hold: `500M`, `10G`, `10GiB`; `0` for no limit. When it has grown beyond, what was not used
/// for longest is removed. Default: 10 GiB, or a tenth of the disk if that is less.
pub const PACKHOUSE_CACHE_SIZE: &str = "PACKHOUSE_CACHE_SIZE";
/// The organisation of a project without a configuration: packages install below `/usr/lib/ORG`. `--org` is stronger.
pub const PACKHOUSE_ORG: &str = "PACKHOUSE_ORG";
/// The maintainer of a project without a configuration, as `NAME <MAIL>`. `--maintainer` is stronger.
pub const PACKHOUSE_MAINTAINER: &str = "PACKHOUSE_MAINTAINER";
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
/// The user for the index `<NAME>` of `[[index]]` (in capitals, other characters as `_`): `PACKHOUSE_INDEX_INTERNAL_USERNAME`.
pub const PACKHOUSE_INDEX_USERNAME: &str = "PACKHOUSE_INDEX_<NAME>_USERNAME";
/// The password or token for the index `<NAME>`.
pub const PACKHOUSE_INDEX_PASSWORD: &str = "PACKHOUSE_INDEX_<NAME>_PASSWORD";
/// uv's way of giving the user for the index `<NAME>`; read when packhouse's own is not set.
pub const UV_INDEX_USERNAME: &str = "UV_INDEX_<NAME>_USERNAME";
/// uv's way of giving the password for the index `<NAME>`.
pub const UV_INDEX_PASSWORD: &str = "UV_INDEX_<NAME>_PASSWORD";
/// `subprocess`: a server that wants a login is given what `keyring get URL USER` prints. Anything else: it is not asked.
pub const PACKHOUSE_KEYRING: &str = "PACKHOUSE_KEYRING";
/// pip's `--keyring-provider`, stronger than `keyring-provider` of uv.toml and pip.conf; read like `PACKHOUSE_KEYRING` when that is not set.
pub const PIP_KEYRING_PROVIDER: &str = "PIP_KEYRING_PROVIDER";
/// uv's `--keyring-provider`; read like `PACKHOUSE_KEYRING` when neither that nor pip's is set.
pub const UV_KEYRING_PROVIDER: &str = "UV_KEYRING_PROVIDER";
/// The netrc file with logins by host. Default: `~/.netrc`.
pub const NETRC: &str = "NETRC";
/// The proxy for https URLs; `https_proxy` wins over it.
pub const HTTPS_PROXY: &str = "HTTPS_PROXY";
/// The proxy for http URLs; `http_proxy` wins over it.
pub const HTTP_PROXY: &str = "HTTP_PROXY";
/// The proxy for URLs of either scheme that have none of their own; `all_proxy` wins over it.
pub const ALL_PROXY: &str = "ALL_PROXY";
/// Hosts and domains that are reached without a proxy, separated by commas; `no_proxy` wins over it.
pub const NO_PROXY: &str = "NO_PROXY";
/// The passphrase of the signing key, when its file is locked with one; `key generate` locks the new key with it.
pub const PACKHOUSE_KEY_PASSPHRASE: &str = "PACKHOUSE_KEY_PASSPHRASE";
/// A file whose first line is that passphrase; readable by its owner alone.
pub const PACKHOUSE_KEY_PASSPHRASE_FILE: &str = "PACKHOUSE_KEY_PASSPHRASE_FILE";
/// gpg's: where it keeps keys and finds its agent, when the signing key is `gpg:FINGERPRINT`. Default: `~/.gnupg`. Build steps
/// do not see the place.
pub const GNUPGHOME: &str = "GNUPGHOME";
/// Where programs are looked for: `uv`, `cargo`, `rustc`, `keyring`, interpreters. Build steps and uv get one of their own.
pub const PATH: &str = "PATH";
/// rustup's: where its toolchains and its settings are. Default: `~/.rustup`.
pub const RUSTUP_HOME: &str = "RUSTUP_HOME";
/// What the terminal is; bars are not drawn without it, nor when it is `dumb`.
pub const TERM: &str = "TERM";
/// cargo's: a PEM file with the certificates to trust; `SSL_CERT_FILE` when it is not set. `CARGO_HOME`, `RUSTUP_HOME`,
/// `SSH_AUTH_SOCK`, the proxies and all that begins with `CARGO_HTTP_`, `CARGO_NET_`, `CARGO_REGISTRY_` or
/// `CARGO_REGISTRIES_` reach cargo as they are when it locks and vendors, and nothing else does; nothing of it reaches a build.
pub const CARGO_HTTP_CAINFO: &str = "CARGO_HTTP_CAINFO";

/// What the command line says in the place of [`SOURCE_DATE_EPOCH`].
static SOURCE_DATE: OnceLock<u32> = OnceLock::new();

/// Makes `seconds` the value of [`SOURCE_DATE_EPOCH`] for the rest of the process; the first call counts.
pub(crate) fn set_source_date_epoch(seconds: u32) {
    SOURCE_DATE.get_or_init(|| seconds);
}

/// [`SOURCE_DATE_EPOCH`], if it is set.
pub(crate) fn source_date_epoch() -> Option<String> {
    let set = SOURCE_DATE.get().map(ToString::to_string);
    set.or_else(|| Some(std::env::var_os(SOURCE_DATE_EPOCH)?.to_string_lossy().into_owned()))
}

/// Whether what packhouse builds may depend on the variable `name`: each of the above but for the terminal's and those of
/// keys, of which nothing may be kept anywhere, and all that reaches a tool.
pub(crate) fn is_read(name: &str) -> bool {
    if [PACKHOUSE_KEY_PASSPHRASE, PACKHOUSE_KEY_PASSPHRASE_FILE, GNUPGHOME].contains(&name) {
        return false;
    }
    const PREFIXES: [&str; 7] = ["PACKHOUSE_", "UV_", "PIP_", "CARGO_", "RUSTUP_", "XDG_", "SSL_CERT_"];
    const NAMES: [&str; 4] = [HOME, PATH, SOURCE_DATE_EPOCH, NETRC];
    let is_proxy = ["http_proxy", "https_proxy", "all_proxy", "no_proxy"].contains(&name.to_ascii_lowercase().as_str());
    is_proxy || NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// Every Rust source below `directory`.
    fn sources(directory: &Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in fs_err::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }

    #[test]
    fn every_variable_but_the_terminals_and_those_of_keys_may_change_a_result() {
        let own = include_str!("variables.rs").lines().filter_map(|line| line.strip_prefix("pub const "));
        let names: Vec<&str> = own.filter_map(|line| line.split('"').nth(1)).collect();
        assert!(names.len() > 30, "{names:?}");
        let others: Vec<&&str> = names.iter().filter(|name| !super::is_read(name)).collect();
        let keys = [super::PACKHOUSE_KEY_PASSPHRASE, super::PACKHOUSE_KEY_PASSPHRASE_FILE, super::GNUPGHOME];
        assert_eq!(others, [&keys[0], &keys[1], &keys[2], &super::TERM]);
    }

    #[test]
    fn no_variable_is_read_that_is_not_described_here() {
        let mut files = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
        let readers = ["env::var(", "env::var_os(", "variable(", "around.get(", ".get("];
        let mut reads = 0;
        for file in files.iter().filter(|file| !file.ends_with("variables.rs") && !file.ends_with("tests.rs")) {
            let text = fs_err::read_to_string(file).unwrap();
            // Tests begin where `mod tests` does; they may read what they like.
            let code = text.split("mod tests {").next().unwrap_or_default();
            for (number, line) in code.lines().enumerate() {
                for reader in readers {
                    for argument in line.split(reader).skip(1) {
                        reads += usize::from(reader.starts_with("env::"));
                        let literal = argument.strip_prefix('"').and_then(|rest| rest.split('"').next());
                        let is_name = |text: &str| {
                            text.len() > 2 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
                        };
                        assert!(
                            !literal.is_some_and(is_name),
                            "{}:{}: {} has no constant in variables.rs",
                            file.display(),
                            number + 1,
                            literal.unwrap_or_default()
                        );
                    }
                }
            }
        }
        assert!(reads > 10, "the search finds what reads: {reads}");
    }
}
