//! The netrc file: logins by host.
//!
//! Source: netrc(5), and curl's and Python's readers for what it leaves open (quotes, comments). Tokens are separated by
//! white space: `machine HOST login USER password SECRET`, `default` for all other hosts, `account` with a value that is
//! passed over, `macdef NAME` with a body that ends at an empty line. The file is `NETRC`, else `~/.netrc`.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::credentials::{Login, Secret};
use super::error::Error;
use crate::diagnostic::Location;
use crate::variables;

/// The logins of a netrc file.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Netrc {
    machines: BTreeMap<String, Login>,
    default: Option<Login>,
}

impl Netrc {
    /// The user's; empty when there is none.
    pub(super) fn of_user() -> Result<Self, Error> {
        let named = std::env::var_os(variables::NETRC).filter(|value| !value.is_empty()).map(PathBuf::from);
        let home = || {
            let home = std::env::var_os(variables::HOME).filter(|value| !value.is_empty())?;
            Some(PathBuf::from(home).join(".netrc"))
        };
        match named.or_else(home) {
            Some(path) => Self::read(&path),
            None => Ok(Self::default()),
        }
    }

    /// Reads the file at `path`; a missing one is empty.
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        match fs_err::read(path) {
            Ok(bytes) => Self::parse(path, &String::from_utf8_lossy(&bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads `text`, which stands in `path`.
    pub(super) fn parse(path: &Path, text: &str) -> Result<Self, Error> {
        let mut netrc = Self::default();
        let mut reader = Reader { rest: text, line: 1 };
        let mut current: Option<Entry> = None;
        while let Some(word) = reader.word() {
            let line = reader.line;
            let fault = |message| fault(path, text, line, message);
            match word.as_str() {
                "machine" => {
                    netrc.keep(current.take());
                    let host = reader.word().ok_or_else(|| fault("`machine` without a host"))?;
                    current = Some(Entry { host: Some(host.to_ascii_lowercase()), ..Entry::default() });
                }
                "default" => {
                    netrc.keep(current.take());
                    current = Some(Entry::default());
                }
                "login" | "user" | "password" | "account" => {
                    let entry = current.as_mut().ok_or_else(|| fault("a login outside of any `machine`"))?;
                    let value = reader.word().ok_or_else(|| fault("a keyword without its value"))?;
                    match word.as_str() {
                        "password" => entry.password = Some(value),
                        "account" => {}
                        _ => entry.login = Some(value),
                    }
                }
                "macdef" => reader.skip_macro(),
                _ => return Err(fault("an unknown keyword")),
            }
        }
        netrc.keep(current);
        Ok(netrc)
    }

    fn keep(&mut self, entry: Option<Entry>) {
        let Some(entry) = entry else { return };
        if entry.login.is_none() && entry.password.is_none() {
            return;
        }
        let login = Login {
            username: entry.login.unwrap_or_default(),
            password: Secret::new(entry.password.unwrap_or_default()),
        };
        match entry.host {
            // The first entry of a host wins, as with curl and ftp.
            Some(host) => drop(self.machines.entry(host).or_insert(login)),
            None => self.default = self.default.take().or(Some(login)),
        }
    }

    /// The login for `host`.
    pub(super) fn find(&self, host: &str) -> Option<Login> {
        self.machines.get(&host.to_ascii_lowercase()).or(self.default.as_ref()).cloned()
    }
}

#[derive(Default)]
struct Entry {
    host: Option<String>,
    login: Option<String>,
    password: Option<String>,
}

/// An error whose location shows the line's number and none of its text, which may be a password.
fn fault(path: &Path, text: &str, line: usize, message: &'static str) -> Error {
    let blank: String = text.chars().map(|letter| if letter == '\n' { '\n' } else { ' ' }).collect();
    Error::Netrc { message, location: Box::new(Location::line(path, blank, line)) }
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let mut letters = self.rest.chars();
        let letter = letters.next()?;
        self.rest = letters.as_str();
        if letter == '\n' {
            self.line += 1;
        }
        Some(letter)
    }

    /// The next word; a comment (`#` at a word's start) ends with its line.
    fn word(&mut self) -> Option<String> {
        loop {
            match self.rest.chars().next()? {
                letter if letter.is_whitespace() => drop(self.next()),
                '#' => while self.next().is_some_and(|letter| letter != '\n') {},
                _ => break,
            }
        }
        let mut word = String::new();
        if self.rest.starts_with('"') {
            self.next();
            while let Some(letter) = self.next() {
                match letter {
                    '"' => break,
                    '\\' => word.extend(self.next()),
                    _ => word.push(letter),
                }
            }
            return Some(word);
        }
        while self.rest.chars().next().is_some_and(|letter| !letter.is_whitespace()) {
            match self.next()? {
                '\\' => word.extend(self.next()),
                letter => word.push(letter),
            }
        }
        Some(word)
    }

    /// Passes over a macro: up to the first empty line.
    fn skip_macro(&mut self) {
        let mut empty = false;
        while let Some(letter) = self.next() {
            if letter == '\n' && std::mem::replace(&mut empty, true) {
                return;
            }
            empty = letter == '\n' || (empty && letter == '\r');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Diagnose as _;

    fn parse(text: &str) -> Netrc {
        Netrc::parse(Path::new(".netrc"), text).unwrap()
    }

    fn pair(netrc: &Netrc, host: &str) -> Option<(String, String)> {
        netrc.find(host).map(|login| (login.username, login.password.expose().to_owned()))
    }

    fn some(user: &str, password: &str) -> Option<(String, String)> {
        Some((user.to_owned(), password.to_owned()))
    }

    #[test]
    fn logins_are_found_by_host_on_one_line_or_on_many() {
        let netrc =
            parse("machine a.example login alice password one\n\nmachine B.example\n\tlogin bob\n\tpassword two\n");
        assert_eq!(pair(&netrc, "a.example"), some("alice", "one"));
        assert_eq!(pair(&netrc, "b.example"), some("bob", "two"));
        assert_eq!(pair(&netrc, "c.example"), None);
    }

    #[test]
    fn comments_macros_accounts_quotes_and_escapes_are_understood() {
        let netrc = parse(
            "# a comment with machine x\nmachine a login \"al ice\" account z password \"p\\\"w#1\"\n\
             macdef init\ncd /tmp\nmachine evil login no password no\n\nmachine b login b password a\\ b # end\n",
        );
        assert_eq!(pair(&netrc, "a"), some("al ice", "p\"w#1"));
        assert_eq!(pair(&netrc, "b"), some("b", "a b"));
        assert_eq!(pair(&netrc, "evil"), None);
    }

    #[test]
    fn a_password_may_begin_like_a_comment_inside_a_word_and_default_serves_the_rest() {
        let netrc = parse("machine a login u password x#y default login anon password mail");
        assert_eq!(pair(&netrc, "a"), some("u", "x#y"));
        assert_eq!(pair(&netrc, "other"), some("anon", "mail"));
    }

    #[test]
    fn the_first_entry_of_a_host_wins() {
        assert_eq!(pair(&parse("machine a login 1 password 1 machine a login 2 password 2"), "a"), some("1", "1"));
    }

    #[test]
    fn a_fault_is_named_by_its_line_and_shows_no_secret() {
        for text in ["machine a login u\npassword\n", "login u password geheim\n", "machine a\n geheim x\n"] {
            let error = Netrc::parse(Path::new(".netrc"), text).unwrap_err();
            assert!(!error.location().unwrap().text.contains("geheim"), "{error:?}");
            assert!(!format!("{error} {error:?}").contains("geheim"));
        }
        let error = Netrc::parse(Path::new(".netrc"), "machine a\nmachine b\nwrong\n").unwrap_err();
        assert_eq!(error.location().unwrap().line_and_column().0, 3);
    }
}
