//! What a file is, by its name: its media type, and how long a cache may keep it without asking.

/// The `Content-Type` of a file of this name. No `Content-Encoding` ever: clients verify the compressed bytes.
pub(super) fn content_type(path: &str) -> &'static str {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name {
        "InRelease" | "Release" => return "text/plain; charset=utf-8",
        "Release.gpg" => return "application/pgp-signature",
        "repomd.xml.key" => return "application/pgp-keys",
        _ => {}
    }
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "deb" | "udeb" | "ddeb" => "application/vnd.debian.binary-package",
        "rpm" => "application/x-rpm",
        "gz" => "application/gzip",
        "xz" => "application/x-xz",
        "zst" => "application/zstd",
        "bz2" => "application/x-bzip2",
        "xml" => "application/xml",
        "asc" if name == "key.asc" => "application/pgp-keys",
        "asc" => "application/pgp-signature",
        "gpg" => "application/pgp-keys",
        "sources" | "repo" | "dsc" | "txt" => "text/plain; charset=utf-8",
        // `Packages`, `Sources`, `Contents-amd64`, `Translation-en`.
        _ if !name.contains('.') && path.contains("/dists/") && !path.contains("/by-hash/") => {
            "text/plain; charset=utf-8"
        }
        _ => "application/octet-stream",
    }
}

/// Whether what lies at `path` (relative to the root) never changes: packages, and indices named by their content.
pub(super) fn is_immutable(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        ["apt", "pool", ..] | ["yum", _, "packages", ..] | ["assets", _] => true,
        ["apt", "dists", .., "by-hash", _, _] => true,
        ["yum", _, "repodata", name] => name
            .split_once('-')
            .is_some_and(|(digest, _)| digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit())),
        _ => false,
    }
}

/// The `Cache-Control` of a path.
pub(super) fn cache_control(path: &str) -> &'static str {
    if is_immutable(path) { "public, max-age=31536000, immutable" } else { "no-cache" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_media_type() {
        for (path, wanted) in [
            ("apt/pool/main/a/acme/acme_1.0_amd64.deb", "application/vnd.debian.binary-package"),
            ("yum/el9/packages/a/acme-1-1.x86_64.rpm", "application/x-rpm"),
            ("apt/dists/stable/InRelease", "text/plain; charset=utf-8"),
            ("apt/dists/stable/Release.gpg", "application/pgp-signature"),
            ("apt/dists/stable/main/binary-amd64/Packages", "text/plain; charset=utf-8"),
            ("apt/dists/stable/main/binary-amd64/Packages.gz", "application/gzip"),
            ("apt/dists/stable/main/binary-amd64/by-hash/SHA256/abc", "application/octet-stream"),
            ("yum/el9/repodata/repomd.xml", "application/xml"),
            ("yum/el9/repodata/repomd.xml.asc", "application/pgp-signature"),
            ("key.asc", "application/pgp-keys"),
            ("key.gpg", "application/pgp-keys"),
            ("index.html", "text/html; charset=utf-8"),
        ] {
            assert_eq!(content_type(path), wanted, "{path}");
        }
    }

    #[test]
    fn only_what_is_named_by_its_content_or_lies_in_a_pool_is_kept_without_asking() {
        let digest = "0123456789abcdef".repeat(4);
        for path in [
            "apt/pool/main/a/acme/acme_1.0_amd64.deb".to_owned(),
            "yum/el9/packages/a/acme.rpm".to_owned(),
            format!("apt/dists/stable/main/binary-amd64/by-hash/SHA256/{digest}"),
            format!("yum/el9/repodata/{digest}-primary.xml.gz"),
            "assets/site-0123.css".to_owned(),
        ] {
            assert!(is_immutable(&path), "{path}");
        }
        for path in [
            "index.html",
            "apt/dists/stable/InRelease",
            "apt/dists/stable/main/binary-amd64/Packages.gz",
            "yum/el9/repodata/repomd.xml",
            "yum/el9/repodata/x-primary.xml.gz",
            "packages/acme.html",
            "acme-el9.repo",
        ] {
            assert!(!is_immutable(path), "{path}");
        }
    }
}
