//! What is asked of a URL beside where it leads: whom it may be shown to, whom it may carry secrets to.

use url::{Host, Url};

use super::credentials::{Login, Secret};

/// The URL as it may stand in a message, a log or a lock: without user, password, query and fragment. Queries are left
/// out because file stores put signatures there that open the file to whoever reads them.
pub fn public(url: &Url) -> String {
    let mut shown = without_login(url.clone());
    let query = shown.query().is_some();
    shown.set_query(None);
    shown.set_fragment(None);
    if query { format!("{shown}?…") } else { shown.to_string() }
}

/// The URL without user and password.
pub fn without_login(mut url: Url) -> Url {
    // Both only fail for URLs that cannot have them.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

/// Takes the user and password out of a URL.
pub fn split_login(url: Url) -> (Url, Option<Login>) {
    let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let username = decode(url.username());
    let password = url.password().map(decode);
    let login = match (username.is_empty(), password) {
        (true, None) => None,
        (_, password) => Some(Login { username, password: Secret::new(password.unwrap_or_default()) }),
    };
    (without_login(url), login)
}

/// Whether what is sent there cannot be read on the way: https, or this machine itself
/// (<https://www.w3.org/TR/secure-contexts/#is-origin-trustworthy>).
pub fn is_private(url: &Url) -> bool {
    url.scheme() == "https" || is_loopback(url)
}

/// Whether the host is this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_url_in_a_message_has_neither_login_nor_signature() {
        let shown = public(&url("https://alice:pa%3Ass@example.org/a/b.whl?X-Signature=abc#sha256=00"));
        assert_eq!(shown, "https://example.org/a/b.whl?…");
    }

    #[test]
    fn a_login_is_split_off_and_decoded() {
        let (rest, login) = split_login(url("https://alice:pa%3Ass%40@example.org/simple/"));
        assert_eq!(rest.as_str(), "https://example.org/simple/");
        let login = login.unwrap();
        assert_eq!((login.username.as_str(), login.password.expose()), ("alice", "pa:ss@"));
        assert!(split_login(url("https://example.org/")).1.is_none());
        assert_eq!(split_login(url("https://token@example.org/")).1.unwrap().username, "token");
    }

    #[test]
    fn only_https_and_this_machine_are_private() {
        for good in ["https://example.org", "http://127.0.0.1:80", "http://[::1]/", "http://localhost/x"] {
            assert!(is_private(&url(good)), "{good}");
        }
        for bad in ["http://example.org", "http://localhost.example.org", "http://10.0.0.1"] {
            assert!(!is_private(&url(bad)), "{bad}");
        }
    }
}
