//! The programs that packhouse is measured against: found on the machine, else installed below `target/bench/tools` (or by
//! apt, as root). One that cannot be had is named on the page with the reason.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Bench;
use crate::Result;
use crate::process::{output, run as execute, say, shell, text};

/// Where a peer comes from when the machine has none.
enum Source {
    /// Debian packages; the first is the peer's own.
    Apt(&'static [&'static str]),
    /// A crate in one version.
    Crate(&'static str),
    /// A gem in one version.
    Gem(&'static str, &'static str),
    /// A wheel in one version, and the program in it.
    Wheel(&'static str, &'static str),
}

/// Program, where it comes from, and what prints its version.
const PEERS: [(&str, Source, &[&str]); 12] = [
    ("dpkg-deb", Source::Apt(&["dpkg"]), &["dpkg-deb", "--version"]),
    ("dpkg-buildpackage", Source::Apt(&["dpkg-dev", "build-essential"]), &["dpkg-buildpackage", "--version"]),
    ("rpmbuild", Source::Apt(&["rpm"]), &["rpmbuild", "--version"]),
    (
        "dh_virtualenv",
        Source::Apt(&["dh-virtualenv", "debhelper", "python3-venv"]),
        &["dpkg-query", "-f", "dh-virtualenv ${Version}", "-W", "dh-virtualenv"],
    ),
    ("cargo-deb", Source::Crate("cargo-deb@3.8.0"), &["cargo-deb", "deb", "--version"]),
    (
        "cargo-generate-rpm",
        Source::Crate("cargo-generate-rpm@0.21.1"),
        &["cargo-generate-rpm", "generate-rpm", "--version"],
    ),
    ("fpm", Source::Gem("fpm", "1.16.0"), &["fpm", "--version"]),
    ("apt-ftparchive", Source::Apt(&["apt-utils"]), &["apt-ftparchive", "--version"]),
    ("reprepro", Source::Apt(&["reprepro"]), &["dpkg-query", "-f", "reprepro ${Version}", "-W", "reprepro"]),
    ("aptly", Source::Apt(&["aptly"]), &["aptly", "version"]),
    ("createrepo_c", Source::Apt(&["createrepo-c"]), &["createrepo_c", "--version"]),
    (
        "createrepo_c-1.2",
        Source::Wheel("createrepo_c==1.2.5", "createrepo_c/data/bin/createrepo_c"),
        &["createrepo_c-1.2", "--version"],
    ),
];

/// The program of a peer; an error says why there is none, in words for the page.
pub(super) fn program(bench: &mut Bench, name: &str) -> Result<PathBuf> {
    let Some((_, source, version)) = PEERS.iter().find(|peer| peer.0 == name) else {
        return Err(format!("`{name}` is no known peer").into());
    };
    let tools = bench.directory.join("tools");
    let program = find(&tools, name).map_or_else(|| install(&tools, name, source), Ok);
    let known = program.as_ref().map(|program| version_of(program, version)).map_err(ToString::to_string);
    bench.results.peers.insert(name.to_owned(), known);
    program.map_err(|reason| format!("{name} is missing: {reason}").into())
}

fn find(tools: &Path, name: &str) -> Option<PathBuf> {
    let own = [tools.join("bin").join(name), tools.join("gems/bin").join(name)];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let others = std::env::split_paths(&path).map(|directory| directory.join(name));
    own.into_iter().chain(others).find(|program| program.is_file())
}

fn install(tools: &Path, name: &str, source: &Source) -> std::result::Result<PathBuf, String> {
    say("Installing", name);
    let (mut command, how) = match source {
        Source::Apt(packages) => {
            let script = r#"test "$(id -u)" = 0 || { echo "only root can install it"; exit 1; }
DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@""#;
            (shell(script, packages.iter()), format!("`apt-get install {}`", packages.join(" ")))
        }
        Source::Crate(version) => {
            let mut command = Command::new("cargo");
            command.args(["install", "--quiet", "--locked", "--root"]).arg(tools).arg(version);
            (command, format!("`cargo install --locked {version}`"))
        }
        Source::Gem(gem, version) => {
            let mut command = Command::new("gem");
            command.args(["install", "--no-document", "--install-dir"]).arg(tools.join("gems"));
            command.args([*gem, "-v", *version]);
            (command, format!("`gem install {gem} -v {version}`"))
        }
        Source::Wheel(version, program) => {
            let script = r#"python3 -m pip --disable-pip-version-check install --quiet --no-deps --only-binary :all: --upgrade --target "$1/wheels/$2" "$3"
mkdir -p "$1/bin"
chmod +x "$1/wheels/$2/$4"
ln -sfn "../wheels/$2/$4" "$1/bin/$2""#;
            let tools = tools.as_os_str();
            (
                shell(script, [tools, name.as_ref(), version.as_ref(), program.as_ref()]),
                format!("`pip install {version}`"),
            )
        }
    };
    let failed = format!("it is not on this machine and {how} does not work here");
    match output(&mut command) {
        Ok(output) if output.status.success() => find(tools, name).ok_or(failed),
        Ok(output) => {
            say("Missing", &text(&output));
            Err(failed)
        }
        Err(_) => Err(failed),
    }
}

/// The first line with a digit of what the peer says of itself.
fn version_of(program: &Path, command: &[&str]) -> String {
    let Some((first, rest)) = command.split_first() else { return String::new() };
    let of_itself = program.file_name().is_some_and(|name| name == *first);
    let mut question = Command::new(if of_itself { program.as_os_str() } else { first.as_ref() });
    if let Some(gems) = gem_home(program) {
        question.env("GEM_HOME", gems);
    }
    let answer = execute(question.args(rest)).unwrap_or_default();
    let line = answer.lines().find(|line| line.chars().any(|character| character.is_ascii_digit()));
    line.unwrap_or("version unknown").trim().to_owned()
}

/// Where a gem's program finds its own gems.
pub(super) fn gem_home(program: &Path) -> Option<PathBuf> {
    let gems = program.parent()?.parent()?;
    gems.ends_with("gems").then(|| gems.to_path_buf())
}
