//! The command line of dh_virtualenv 1.2, as its `cmdline.py` (optparse) reads it: long options by any unambiguous
//! beginning, values with `=` or as the next word, `-O--option` for options that dh hands on.

/// What dh_virtualenv was told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) packages: Vec<String>,
    pub(super) excluded: Vec<String>,
    pub(super) extra_index_urls: Vec<String>,
    pub(super) index_url: Option<String>,
    pub(super) preinstall: Vec<String>,
    pub(super) extras: Vec<String>,
    pub(super) pip_arguments: Vec<String>,
    pub(super) python: Option<String>,
    pub(super) directory: Option<String>,
    pub(super) suffix: Option<String>,
    pub(super) requirements: Option<String>,
    pub(super) system_packages: bool,
    pub(super) skip_install: bool,
    pub(super) runs_tests: bool,
    /// Options that say how pip and virtualenv are run, as they are written.
    pub(super) of_pip: Vec<String>,
    /// Words that are no option of it.
    pub(super) unknown: Vec<String>,
}

/// Long options that take a value, and those that take none.
const VALUED: [&str; 18] = [
    "package",
    "no-package",
    "extra-index-url",
    "preinstall",
    "extras",
    "pip-tool",
    "upgrade-pip-to",
    "extra-pip-arg",
    "extra-virtualenv-arg",
    "index-url",
    "python",
    "sourcedirectory",
    "install-suffix",
    "requirements",
    "arch",
    "pypi-url",
    "buildsystem",
    "with",
];
const PLAIN: [&str; 13] = [
    "verbose",
    "setuptools",
    "upgrade-pip",
    "builtin-venv",
    "noscripts",
    "use-system-packages",
    // Never dh_virtualenv's own, and often written for it: virtualenv's.
    "system-site-packages",
    "skip-install",
    "setuptools-test",
    "indep",
    "no-test",
    "help",
    "version",
];
/// Short options with the long ones that they are.
const SHORT: [(char, &str); 9] = [
    ('p', "package"),
    ('N', "no-package"),
    ('v', "verbose"),
    ('s', "setuptools"),
    ('D', "sourcedirectory"),
    ('n', "noscripts"),
    ('S', "use-system-packages"),
    ('a', "arch"),
    ('i', "indep"),
];

impl Options {
    /// The options that follow the command's name.
    pub(super) fn parse(words: &[String]) -> Self {
        let mut options = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let word = word.strip_prefix("-O").filter(|rest| rest.starts_with('-')).unwrap_or(word);
            let (name, inline) = match word.strip_prefix("--") {
                Some(long) => match long.split_once('=') {
                    Some((name, value)) => (full_name(name), Some(value.to_owned())),
                    None => (full_name(long), None),
                },
                None => {
                    let mut letters = word.strip_prefix('-').unwrap_or_default().chars();
                    let letter = letters.next();
                    let name = SHORT.iter().find(|(short, _)| Some(*short) == letter).map(|(_, long)| *long);
                    let rest = letters.as_str();
                    (name, (!rest.is_empty()).then(|| rest.trim_start_matches('=').to_owned()))
                }
            };
            let Some(name) = name else {
                options.unknown.push(word.to_owned());
                continue;
            };
            if PLAIN.contains(&name) {
                options.flag(name, word);
            } else if let Some(value) = inline.or_else(|| words.next().cloned()) {
                options.value(name, value);
            }
        }
        options
    }

    fn flag(&mut self, name: &str, word: &str) {
        match name {
            "use-system-packages" | "system-site-packages" => self.system_packages = true,
            "skip-install" => self.skip_install = true,
            "setuptools-test" => self.runs_tests = true,
            "setuptools" | "upgrade-pip" | "builtin-venv" => self.of_pip.push(word.to_owned()),
            _ => {}
        }
    }

    fn value(&mut self, name: &str, value: String) {
        match name {
            "package" => self.packages.push(value),
            "no-package" => self.excluded.push(value),
            "extra-index-url" => self.extra_index_urls.push(value),
            "index-url" | "pypi-url" => self.index_url = Some(value),
            "preinstall" => self.preinstall.push(value),
            "extras" => self.extras.push(value),
            "extra-pip-arg" => self.pip_argument(&value),
            "python" => self.python = Some(value),
            "sourcedirectory" => self.directory = Some(value),
            "install-suffix" => self.suffix = Some(value),
            "requirements" => self.requirements = Some(value),
            "pip-tool" | "upgrade-pip-to" => self.of_pip.push(format!("--{name}={value}")),
            "extra-virtualenv-arg" => self.virtualenv_argument(&value),
            _ => {}
        }
    }

    /// An argument for pip itself.
    pub(super) fn pip_argument(&mut self, argument: &str) {
        match argument.split_once('=') {
            Some(("--index-url" | "-i", url)) => self.index_url = Some(url.to_owned()),
            Some(("--extra-index-url", url)) => self.extra_index_urls.push(url.to_owned()),
            _ => self.pip_arguments.push(argument.to_owned()),
        }
    }

    /// Arguments for virtualenv, of which two say what is in the result.
    pub(super) fn virtualenv_argument(&mut self, argument: &str) {
        match argument.split_once('=') {
            _ if argument == "--system-site-packages" => self.system_packages = true,
            Some(("--python" | "-p", python)) => self.python = Some(python.to_owned()),
            _ => self.of_pip.push(argument.to_owned()),
        }
    }
}

/// The option that `name` is, or is the only one to begin with.
fn full_name(name: &str) -> Option<&'static str> {
    let all = || VALUED.iter().chain(&PLAIN).copied();
    if let Some(exact) = all().find(|known| *known == name) {
        return Some(exact);
    }
    let mut candidates = all().filter(|known| known.starts_with(name));
    match (candidates.next(), candidates.next()) {
        (Some(only), None) if !name.is_empty() => Some(only),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(line: &str) -> Options {
        Options::parse(&shlex::split(line).unwrap())
    }

    #[test]
    fn options_are_read_in_all_of_their_spellings() {
        let read = options(
            "--python=/usr/bin/python3.11 --extras web --extras 'db' -pshop -N other --extra-pip-arg --no-deps \
             --extra-pip-arg=--extra-index-url=https://a.example/simple -O--skip-install -S --builtin \
             --index-url https://b.example/simple --install-suffix venv -D src --requirements=req/prod.txt \
             --upgrade-pip-to=23.0 --upgrade-pip --preinstall 'setuptools>=17.1' -v",
        );
        assert_eq!(read.python.as_deref(), Some("/usr/bin/python3.11"));
        assert_eq!(read.extras, ["web", "db"]);
        assert_eq!((read.packages, read.excluded), (vec!["shop".to_owned()], vec!["other".to_owned()]));
        assert_eq!(read.pip_arguments, ["--no-deps"]);
        assert_eq!(read.extra_index_urls, ["https://a.example/simple"]);
        assert_eq!(read.index_url.as_deref(), Some("https://b.example/simple"));
        assert!(read.skip_install && read.system_packages && !read.runs_tests);
        assert_eq!((read.suffix.as_deref(), read.directory.as_deref()), (Some("venv"), Some("src")));
        assert_eq!(read.requirements.as_deref(), Some("req/prod.txt"));
        assert_eq!(read.of_pip, ["--builtin", "--upgrade-pip-to=23.0", "--upgrade-pip"]);
        assert_eq!(read.preinstall, ["setuptools>=17.1"]);
        assert_eq!(read.unknown, [""; 0]);
    }

    #[test]
    fn what_it_does_not_know_is_told() {
        assert_eq!(options("--extra x --frobnicate y").unknown, ["--extra", "x", "--frobnicate", "y"]);
        assert_eq!(options("--python").python, None);
    }
}
