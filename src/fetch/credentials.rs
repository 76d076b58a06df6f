//! Who may log in where.
//!
//! A login belongs to an origin (scheme, host, port) and reaches no other: it is looked up anew for every request and for
//! every redirect, by where that one goes. The sources, the strongest first:
//!
//! 1. user and password in the URL that the user wrote (taken out of it at once, [`Credentials::add_url`]);
//! 2. `PACKHOUSE_INDEX_<NAME>_USERNAME` and `_PASSWORD`, uv's `UV_INDEX_<NAME>_USERNAME` and `_PASSWORD`, for the origin
//!    of the index of that name;
//! 3. the netrc file (over https and to this machine only);
//! 4. the `keyring` command, when it was asked for and the server has answered 401.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;

use url::{Origin, Url};

use super::address::{is_private, split_login, without_login};
use super::error::Error;
use super::keyring;
use super::netrc::Netrc;
use crate::variables;

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// Keeps `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the header or the child process that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[secret]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[secret]")
    }
}

/// A user and a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The user; with a token as password often `__token__`.
    pub username: String,
    /// The password or token.
    pub password: Secret,
}

impl Login {
    /// The value of the `Authorization` header (RFC 7617).
    pub(super) fn header(&self) -> Secret {
        use base64::Engine as _;
        let pair = format!("{}:{}", self.username, self.password.expose());
        Secret::new(format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair)))
    }
}

/// Whether the `keyring` command is asked for logins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keyring {
    /// It is not.
    #[default]
    Off,
    /// `keyring get URL USER` is run (pip's and uv's `subprocess`).
    Subprocess,
}

impl Keyring {
    /// What a value of `keyring-provider` means.
    pub fn of_provider(provider: &str) -> Self {
        if provider.trim() == "subprocess" { Self::Subprocess } else { Self::Off }
    }
}

/// All logins of a run.
#[derive(Debug, Default)]
pub struct Credentials {
    logins: Vec<(Url, Login)>,
    users: Vec<(Url, String)>,
    netrc: Netrc,
    /// `None`: the environment does not say.
    keyring: Option<Keyring>,
    asked: Mutex<BTreeMap<String, Option<Login>>>,
}

impl Credentials {
    /// No logins at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// The user's: netrc, and the keyring command if `PACKHOUSE_KEYRING`, `PIP_KEYRING_PROVIDER` or
    /// `UV_KEYRING_PROVIDER` says `subprocess`. Indexes are added by [`Self::add_index`].
    pub fn of_user() -> Result<Self, Error> {
        let providers = [variables::PACKHOUSE_KEYRING, variables::PIP_KEYRING_PROVIDER, variables::UV_KEYRING_PROVIDER];
        let provider =
            providers.into_iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
        let keyring = provider.as_deref().map(Keyring::of_provider);
        Ok(Self { netrc: Netrc::of_user()?, keyring, ..Self::default() })
    }

    /// Turns the keyring command on or off, as a configuration file says (pip's and uv's `keyring-provider`), unless the
    /// environment says something.
    pub fn configure_keyring(&mut self, keyring: Keyring) {
        self.keyring.get_or_insert(keyring);
    }

    /// Whether the keyring command may be asked.
    pub(super) fn has_keyring(&self) -> bool {
        self.keyring == Some(Keyring::Subprocess)
    }

    /// The login that a keyring has given for the server of `url`.
    pub(super) fn asked(&self, url: &Url) -> Option<Login> {
        let asked = self.asked.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        asked.get(&url.origin().ascii_serialization()).cloned().flatten()
    }

    /// Takes the login out of a URL that the user wrote, keeps it for that origin, and gives the URL without it.
    pub fn add_url(&mut self, url: Url) -> Url {
        let (url, login) = split_login(url);
        if let Some(login) = login {
            self.add_login(&url, &login.username, login.password.expose());
        }
        url
    }

    /// Keeps a login for the origin of `url`.
    pub fn add_login(&mut self, url: &Url, username: &str, password: &str) {
        let login = Login { username: username.to_owned(), password: Secret::new(password) };
        if password.is_empty() {
            self.users.push((without_login(url.clone()), login.username.clone()));
        }
        self.logins.push((without_login(url.clone()), login));
    }

    /// Like [`Self::add_url`], and looks for the environment's login of the index of this name.
    pub fn add_index(&mut self, name: &str, url: Url) -> Url {
        let url = self.add_url(url);
        if let Some(login) = login_of_environment(name, |variable| std::env::var(variable).ok()) {
            self.logins.push((url.clone(), login));
        }
        url
    }

    /// The login for a request to `url`, if one is known without asking anybody.
    pub(super) fn find(&self, url: &Url) -> Option<Login> {
        let origin = url.origin();
        if !matches!(origin, Origin::Tuple(..)) {
            return None;
        }
        let mut best: Option<(usize, &Login)> = None;
        for (scope, login) in self.logins.iter().filter(|(scope, _)| scope.origin() == origin) {
            let length = common_segments(scope.path(), url.path());
            if best.is_none_or(|(longest, _)| length > longest) {
                best = Some((length, login));
            }
        }
        match best {
            Some((_, login)) => Some(login.clone()),
            None if is_private(url) => self.netrc.find(url.host_str()?),
            None => None,
        }
    }

    /// The keyring's login for `url`, which the server has refused without one.
    pub(super) fn ask(&self, url: &Url) -> Result<Option<Login>, Error> {
        if !self.has_keyring() || !is_private(url) {
            return Ok(None);
        }
        let origin = url.origin();
        let user = self.users.iter().find(|(scope, _)| scope.origin() == origin).map(|(_, user)| user.as_str());
        let key = origin.ascii_serialization();
        // The lock is held while the command runs, so that it runs once and not once per connection.
        let mut asked = self.asked.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(answer) = asked.get(&key) {
            return Ok(answer.clone());
        }
        let answer = keyring::get(&without_login(url.clone()), user)?;
        asked.insert(key, answer.clone());
        Ok(answer)
    }
}

/// How many leading segments two paths share.
fn common_segments(left: &str, right: &str) -> usize {
    left.split('/').zip(right.split('/')).take_while(|(left, right)| left == right).count()
}

/// The login in the variables of an index; the name as uv spells it there: upper case, everything else `_`.
fn login_of_environment(name: &str, variable: impl Fn(&str) -> Option<String>) -> Option<Login> {
    let spelled: String = name
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' })
        .collect();
    let value = |pattern: &str| variable(&pattern.replace("<NAME>", &spelled)).filter(|value| !value.is_empty());
    let pairs = [
        (variables::PACKHOUSE_INDEX_USERNAME, variables::PACKHOUSE_INDEX_PASSWORD),
        (variables::UV_INDEX_USERNAME, variables::UV_INDEX_PASSWORD),
    ];
    pairs.into_iter().find_map(|(username, password)| match (value(username), value(password)) {
        (None, None) => None,
        (username, password) => {
            Some(Login { username: username.unwrap_or_default(), password: Secret::new(password.unwrap_or_default()) })
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_login_reaches_its_own_origin_and_no_other() {
        let mut credentials = Credentials::none();
        let index = credentials.add_url(url("https://alice:secret@index.example.org/simple/"));
        assert_eq!(index.as_str(), "https://index.example.org/simple/");
        assert_eq!(credentials.find(&url("https://index.example.org/files/a.whl")).unwrap().username, "alice");
        for other in [
            "http://index.example.org/simple/",
            "https://index.example.org:8443/simple/",
            "https://example.org/simple/",
            "https://index.example.org.evil.example/simple/",
        ] {
            assert!(credentials.find(&url(other)).is_none(), "{other}");
        }
    }

    #[test]
    fn of_two_logins_for_one_host_the_one_with_the_nearer_path_is_sent() {
        let mut credentials = Credentials::none();
        credentials.add_url(url("https://a:1@example.org/team-a/simple/"));
        credentials.add_url(url("https://b:2@example.org/team-b/simple/"));
        assert_eq!(credentials.find(&url("https://example.org/team-b/simple/x/")).unwrap().username, "b");
        assert_eq!(credentials.find(&url("https://example.org/team-a/files/x.whl")).unwrap().username, "a");
    }

    #[test]
    fn the_variables_of_an_index_are_spelled_in_capitals_and_ours_win_over_those_of_uv() {
        let environment = |name: &str| match name {
            "PACKHOUSE_INDEX_MY_INDEX_USERNAME" => Some("ours".to_owned()),
            "UV_INDEX_MY_INDEX_USERNAME" => Some("theirs".to_owned()),
            "UV_INDEX_OTHER_PASSWORD" => Some("token".to_owned()),
            _ => None,
        };
        assert_eq!(login_of_environment("my-index", environment).unwrap().username, "ours");
        assert_eq!(login_of_environment("other", environment).unwrap().password.expose(), "token");
        assert!(login_of_environment("third", environment).is_none());
    }

    #[test]
    fn a_secret_is_never_printed() {
        let login = Login { username: "alice".to_owned(), password: Secret::new("hunter2") };
        assert!(!format!("{login:?} {}", login.password).contains("hunter2"));
        assert!(!format!("{:?}", login.header()).contains(login.header().expose()));
        let mut credentials = Credentials::none();
        credentials.add_url(url("https://alice:hunter2@example.org/"));
        assert!(!format!("{credentials:?}").contains("hunter2"));
    }
}
