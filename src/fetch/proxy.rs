//! Proxies, from the environment as curl, pip and uv read it: the variable of the URL's scheme, else `ALL_PROXY`; small
//! letters win over capitals; `NO_PROXY` names hosts and, by their suffix, domains that are reached directly.

use ureq::{Proxy, ProxyProtocol};
use url::Url;

use super::error::Error;
use crate::variables;

/// The proxy for URLs of `scheme` (`http`, `https`).
pub(super) fn of_environment(scheme: &str) -> Result<Option<Proxy>, Error> {
    choose(scheme, |name| std::env::var(name).ok().filter(|value| !value.is_empty()))
}

fn choose(scheme: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Option<Proxy>, Error> {
    let value = |name: &str| variable(&name.to_ascii_lowercase()).or_else(|| variable(name));
    let own = if scheme == "https" { variables::HTTPS_PROXY } else { variables::HTTP_PROXY };
    let Some((name, text)) = [own, variables::ALL_PROXY].into_iter().find_map(|name| Some((name, value(name)?))) else {
        return Ok(None);
    };
    let error = |reason| Error::Proxy { variable: name, reason };
    let text = if text.contains("://") { text } else { format!("http://{text}") };
    let url = Url::parse(&text).map_err(|_| error("it is no URL"))?;
    let protocol = match url.scheme() {
        "http" => ProxyProtocol::Http,
        "https" => ProxyProtocol::Https,
        _ => return Err(error("only http and https proxies are spoken to")),
    };
    let host = url.host_str().ok_or_else(|| error("it has no host"))?;
    let mut builder = Proxy::builder(protocol).host(host);
    if let Some(port) = url.port_or_known_default() {
        builder = builder.port(port);
    }
    let (_, login) = super::address::split_login(url.clone());
    if let Some(login) = &login {
        builder = builder.username(&login.username).password(login.password.expose());
    }
    for entry in value(variables::NO_PROXY).unwrap_or_default().split(',').map(str::trim) {
        if entry.is_empty() {
            continue;
        }
        let domain = entry.trim_start_matches("*.").trim_start_matches('.');
        builder = builder.no_proxy(domain);
        if domain != "*" {
            builder = builder.no_proxy(&format!(".{domain}"));
        }
    }
    builder.build().map(Some).map_err(|_| error("it cannot be understood"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        let pairs: Vec<(String, String)> =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        move |name| pairs.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone())
    }

    #[test]
    fn the_variable_of_the_scheme_comes_before_the_one_for_all() {
        let environment =
            with(&[("HTTP_PROXY", "http://plain:1"), ("all_proxy", "http://all:2"), ("ALL_PROXY", "http://x:3")]);
        assert_eq!(choose("http", &environment).unwrap().unwrap().host(), "plain");
        assert_eq!(choose("https", &environment).unwrap().unwrap().host(), "all");
        assert!(choose("https", with(&[("HTTP_PROXY", "http://plain:1")])).unwrap().is_none());
    }

    #[test]
    fn a_proxy_has_a_port_and_a_login_and_hosts_it_is_not_for() {
        let environment =
            with(&[("https_proxy", "us%40er:pw@proxy.example:3128"), ("NO_PROXY", "a.example, .b.example")]);
        let proxy = choose("https", environment).unwrap().unwrap();
        assert_eq!((proxy.host(), proxy.port()), ("proxy.example", 3128));
        assert_eq!((proxy.username(), proxy.password()), (Some("us@er"), Some("pw")));
        for (url, direct) in [
            ("https://a.example/", true),
            ("https://x.a.example/", true),
            ("https://b.example/", true),
            ("https://nota.example/", false),
        ] {
            assert_eq!(proxy.is_no_proxy(&url.parse().unwrap()), direct, "{url}");
        }
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_an_error_that_names_the_variable() {
        let error = choose("https", with(&[("HTTPS_PROXY", "socks5://user:geheim@proxy:1080")])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the proxy in HTTPS_PROXY cannot be used: only http and https proxies are spoken to"
        );
        assert!(!format!("{error:?}").contains("geheim"));
    }
}
