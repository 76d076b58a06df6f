//! What dh_virtualenv is told of Python: the interpreter, extras, indexes. pip and virtualenv themselves are not used, so
//! that what is said to them has no place here.

use super::Draft;
use super::debian::Debian;
use super::rules::UNKNOWN;
use crate::config::{Setting, Table, value};
use crate::target::distributions;

/// What every environment of pip's had, and packhouse's need not have.
const TOOLS: [&str; 3] = ["pip", "setuptools", "wheel"];

pub(super) fn python(debian: &Debian, draft: &mut Draft) {
    let options = &debian.options;
    let unknown = |text: &String| text.contains(UNKNOWN);
    if let Some(program) = &options.python {
        interpreter(program, draft);
    }
    let extras: Vec<String> =
        options.extras.iter().flat_map(|text| text.split(',')).map(|one| one.trim().to_owned()).collect();
    let (good, bad): (Vec<String>, Vec<String>) =
        extras.into_iter().partition(|extra| value::python_name(extra).is_ok());
    if !good.is_empty() {
        draft.python.push(Setting::new("extras", good));
    }
    for extra in bad {
        draft.leave(format!("--extras {extra}"), "it is no name of an extra");
    }
    for url in &options.extra_index_urls {
        index(debian, url, draft);
    }
    if let Some(url) = &options.index_url {
        index(debian, url, draft);
        draft.leave(
            format!("--index-url {}", without_login(url)),
            "it is asked before PyPI, and PyPI for what it does not have; PIP_INDEX_URL or pip.conf takes PyPI's place",
        );
    }
    if let Some(file) = options.requirements.as_deref().filter(|file| *file != "requirements.txt") {
        draft.leave(
            format!("--requirements {file}"),
            format!("packhouse reads requirements.txt: write `-r {file}` into it"),
        );
    }
    for requirement in &options.preinstall {
        let name =
            requirement.split(|character: char| !(character.is_alphanumeric() || "._-".contains(character))).next();
        if !TOOLS.contains(&name.unwrap_or_default()) {
            draft.leave(
                format!("--preinstall {requirement}"),
                "nothing is installed before the rest; what is needed at run time belongs into requirements.txt, what builds a \
                 package into its [build-system], or under `build-requires` of the python table",
            );
        }
    }
    pip(&options.pip_arguments, draft);
    let flags = [
        (
            options.system_packages,
            "--use-system-packages",
            "the tree carries all that it needs and sees nothing of the system's packages: name them in requirements.txt",
        ),
        (
            options.skip_install,
            "--skip-install",
            "the Python package is always installed into the tree; what debian/*.install puts elsewhere is put there as well",
        ),
        (options.runs_tests, "--setuptools-test", "no tests are run by a build: let the pipeline run them before it"),
    ];
    for (given, flag, why) in flags {
        if given {
            draft.leave(flag, why);
        }
    }
    let without_effect: Vec<&str> = options.of_pip.iter().map(String::as_str).collect();
    if !without_effect.is_empty() {
        draft.leave(without_effect.join(", "), "neither pip nor virtualenv is used");
    }
    for word in options.unknown.iter().filter(|word| !unknown(word)) {
        draft.leave(format!("`{word}` of dh_virtualenv"), "it is no option that packhouse knows");
    }
    if options.unknown.iter().any(|word| unknown(word)) {
        draft.leave("a part of dh_virtualenv's options", "only make knows it");
    }
}

/// `/usr/bin/python3.11`, `python3`.
fn interpreter(program: &str, draft: &mut Draft) {
    let name = program.rsplit('/').next().unwrap_or_default();
    let Some(version) = name.strip_prefix("python") else {
        draft.leave(format!("--python {program}"), "packages use the CPython of their distribution");
        return;
    };
    match version {
        "" | "3" => {}
        "2" | "2.7" => draft.leave(format!("--python {program}"), "Python 2 is in none of the distributions"),
        _ => {
            let target = draft.project.iter().find(|setting| setting.key == "targets");
            let target = target.and_then(|setting| setting.value.as_array()?.first()?.as_str());
            let known = distributions();
            let known = known.iter().find(|one| Some(one.name.as_str()) == target);
            if known.is_some_and(|one| one.pythons.iter().any(|python| python.to_string() == version)) {
                draft.python.push(Setting::new("version", version));
            } else {
                let target = target.unwrap_or_default();
                draft.leave(format!("--python {program}"), format!("{target} does not have it; its own is taken"));
            }
        }
    }
}

/// A Python index, named after its host.
fn index(debian: &Debian, url: &str, draft: &mut Draft) {
    let bare = without_login(url);
    let host = url::Url::parse(&bare).ok().and_then(|url| Some(url.host_str()?.to_owned()));
    let good = value::web_address(&bare, &["https", "http"]).is_ok() && !url.contains(UNKNOWN);
    let Some(host) = host.filter(|_| good) else {
        draft.leave(format!("the index {bare}"), "only make knows its address, or it is none that can be asked");
        return;
    };
    let name: String =
        host.chars().map(|character| if character.is_ascii_alphanumeric() { character } else { '-' }).collect();
    let name = name.trim_matches('-').to_owned();
    if draft.indexes.iter().any(|table| table.settings.iter().any(|setting| setting.value.as_str() == Some(&bare))) {
        return;
    }
    // Two indexes on one host have two names.
    let taken = draft.indexes.len();
    let name = if taken == 0 { name } else { format!("{name}-{}", taken + 1) };
    if bare != url {
        let variable: String =
            name.chars().map(|character| if character == '-' { '_' } else { character.to_ascii_uppercase() }).collect();
        draft.leave(
            format!("the login of the index {bare} in {}/rules", debian.place().display()),
            format!(
                "no configuration holds one: set PACKHOUSE_INDEX_{variable}_USERNAME and PACKHOUSE_INDEX_{variable}_PASSWORD, \
                 or use .netrc"
            ),
        );
    }
    let mut table = Table { is_element: true, ..Table::new(&["index"]) };
    table.comments.push("The index that dh_virtualenv gives pip.".to_owned());
    table.settings = vec![Setting::new("name", name), Setting::new("url", bare)];
    draft.indexes.push(table);
}

/// An address without user and password.
fn without_login(url: &str) -> String {
    let Ok(mut parsed) = url::Url::parse(url) else { return url.to_owned() };
    if parsed.username().is_empty() && parsed.password().is_none() {
        return url.to_owned();
    }
    // It has a host, since it has a login.
    let _ = parsed.set_username("");
    let _ = parsed.set_password(None);
    parsed.to_string()
}

/// Arguments for pip.
fn pip(arguments: &[String], draft: &mut Draft) {
    let mut sources: Vec<String> = Vec::new();
    let mut without_effect = Vec::new();
    for argument in arguments {
        match argument.split_once('=').unwrap_or((argument, "")) {
            ("--no-binary", names) if !names.is_empty() && !names.contains(':') => {
                sources.extend(names.split(',').filter(|name| value::python_name(name).is_ok()).map(str::to_owned));
            }
            ("--no-deps", _) => draft.leave(
                argument,
                "dependencies are resolved and locked: what the manifests ask for is in the tree, and only that",
            ),
            _ => without_effect.push(argument.as_str()),
        }
    }
    if !sources.is_empty() {
        draft.python.push(Setting::new("no-binary", sources));
    }
    if !without_effect.is_empty() {
        let what = format!("--extra-pip-arg {}", without_effect.join(" "));
        draft.leave(what, "pip is not used; `packhouse vendor` downloads what the lock names, by its digest");
    }
}
