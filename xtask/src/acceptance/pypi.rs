//! Source distributions of the package index, as they are: each is fetched by its digest, unpacked, and packaged with
//! nothing but the organisation told; the package is installed in a clean Debian 12 without network, where its commands
//! must answer.
//!
//! There is one or more for each build back end that is in use, and among them those that compile C and Rust.

use std::path::{Path, PathBuf};
use std::process::Command;

use packhouse::cache::Cache;
use packhouse::digest::Sha256;
use packhouse::ecosystem::python::index::{self, FileKind, IndexClient};
use packhouse::ecosystem::python::indexes::{Indexes, Surroundings};
use packhouse::fetch::{Download, download};
use packhouse::report::Silent;

use super::{Bench, debian};
use crate::Result;
use crate::process::{output, run, say, shell, text};

/// A source distribution.
struct Sdist {
    name: &'static str,
    version: &'static str,
    sha256: &'static str,
    /// What builds it.
    back_end: &'static str,
    /// A command line, and what its answer holds.
    answers: &'static [(&'static str, &'static str)],
}

const SDISTS: &[Sdist] = &[
    Sdist {
        name: "pyflakes",
        version: "3.2.0",
        sha256: "1c61603ff154621fb2a9172037d84dca3500def8c8b630657d1701f026f8af3f",
        back_end: "setuptools, setup.py that computes its version, bin/",
        answers: &[("pyflakes --version", "3.2.0 Python 3.11"), ("pyflakes --help", "usage")],
    },
    Sdist {
        name: "pyupgrade",
        version: "3.17.0",
        sha256: "d5dd1dcaf9a016c31508bb9d3d09fd335d736578092f91df52bb26ac30c37919",
        back_end: "setuptools, setup.cfg",
        answers: &[("pyupgrade --help", "--py39-plus")],
    },
    Sdist {
        name: "codespell",
        version: "2.4.1",
        sha256: "299fcdcb09d23e81e35a671bbe746d5ad7e8385972e65dbb833a2eaac33c01e5",
        back_end: "setuptools, pyproject.toml with setuptools-scm",
        answers: &[("codespell --version", "2.4.1")],
    },
    Sdist {
        name: "sqlparse",
        version: "0.5.3",
        sha256: "09f67787f56a0b16ecdbde1bfc7f5d9c3371ca683cfeaa8e6ff60b4807ec9272",
        back_end: "hatchling, version in a file",
        answers: &[("sqlformat --version", "0.5.3")],
    },
    Sdist {
        name: "black",
        version: "24.10.0",
        sha256: "846ea64c97afe3bc677b761787993be4991810ecc7a4a937816dd6bddedc4875",
        back_end: "hatchling with hatch-vcs and a plugin for the description",
        answers: &[("black --version", "24.10.0")],
    },
    Sdist {
        name: "flit",
        version: "3.10.1",
        sha256: "9c6258ae76d218ce60f9e39a43ca42006a3abcc5c44ea6bb2a1daa13857a8f1a",
        back_end: "flit-core, with samples of packages below it",
        answers: &[("flit --version", "3.10.1")],
    },
    Sdist {
        name: "build",
        version: "1.2.2",
        sha256: "119b2fb462adef986483438377a13b2f42064a2a3a4161f24a0cca698a07ac8c",
        back_end: "flit-core",
        answers: &[("pyproject-build --version", "1.2.2")],
    },
    Sdist {
        name: "dunamai",
        version: "1.23.0",
        sha256: "a163746de7ea5acb6dacdab3a6ad621ebc612ed1e528aaa8beedb8887fccd2c4",
        back_end: "poetry-core, [tool.poetry]",
        answers: &[("dunamai --help", "usage"), ("dunamai from any --help", "usage")],
    },
    Sdist {
        name: "findpython",
        version: "0.6.3",
        sha256: "5863ea55556d8aadc693481a14ac4f3624952719efc1c5591abb0b4a9e965c94",
        back_end: "pdm-backend",
        answers: &[("findpython --help", "usage")],
    },
    Sdist {
        name: "git-changelog",
        version: "2.5.2",
        sha256: "b71a404a524dc0b14a34f92d306ae011a05c5fcf7c78ee5b484af50ac44ced65",
        back_end: "pdm-backend, dependencies with compiled parts",
        answers: &[("git-changelog --version", "2.5.2")],
    },
    Sdist {
        name: "coverage",
        version: "7.6.10",
        sha256: "7fb105327c8f8f0682e29843e2ff96af9dcbe5bab8eeb4b398c6a33a16d80a23",
        back_end: "setuptools, compiles C, setup() in several places",
        answers: &[("coverage --version", "with C extension")],
    },
    Sdist {
        name: "watchfiles",
        version: "1.0.4",
        sha256: "6ba473efd11062d73e4f00c2b730255f9c1bdd73cd5f9fe5b5da8dbd4a717205",
        back_end: "maturin, compiles Rust",
        answers: &[("watchfiles --version", "1.0.4")],
    },
];

/// Packages each, and tries its commands.
pub(super) fn judge(bench: &Bench) -> Result<()> {
    let directory = bench.directory.join("pypi");
    let base = debian::base(bench, "bookworm")?;
    let mut failed = Vec::new();
    for sdist in SDISTS {
        let start = std::time::Instant::now();
        let outcome = package(bench, &directory, sdist).and_then(|packages| answer(&base, &packages, sdist));
        let seconds = start.elapsed().as_secs_f64();
        let verdict = if outcome.is_ok() { "Answered" } else { "Failed" };
        say(verdict, &format!("{} {} ({}), {seconds:.1} s", sdist.name, sdist.version, sdist.back_end));
        if let Err(error) = outcome {
            failed.push(format!("{} {}: {error}", sdist.name, sdist.version));
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n\n").into()) }
}

/// The archive, found by its digest where the machine's Python tools look for packages, and kept.
fn fetch(directory: &Path, sdist: &Sdist) -> Result<PathBuf> {
    let wanted: Sha256 = sdist.sha256.parse()?;
    let kept = directory.join(format!("{}-{}.tar.gz", sdist.name, sdist.version));
    if fs_err::read(&kept).is_ok_and(|bytes| Sha256::of(&bytes) == wanted) {
        return Ok(kept);
    }
    let variable = |name: &str| std::env::var(name).ok();
    let indexes = Indexes::collect(&[], &[], &Surroundings { variable: &variable, system: Path::new("/etc") })?;
    let client = indexes.client(false)?;
    let index = IndexClient::new(&client);
    for source in index::sources(&indexes, sdist.name)? {
        let files = index.files(&source, sdist.name)?.unwrap_or_default();
        let is_it = |file: &&index::IndexFile| file.kind == FileKind::Sdist && file.sha256 == Some(wanted);
        if let Some(file) = files.iter().find(is_it) {
            let cache = Cache::at(directory.join("cache"));
            let download_of =
                Download { name: file.filename.clone(), url: file.url.clone(), sha256: Some(wanted), size: file.size };
            let fetched = download(&client, &[download_of], &cache, &Silent)?;
            fs_err::copy(&fetched.first().ok_or("nothing was fetched")?.path, &kept)?;
            return Ok(kept);
        }
    }
    Err(format!("no index has {} {} with the digest {wanted}", sdist.name, sdist.version).into())
}

/// Unpacks, locks, vendors, and builds without network; the directory with the package.
fn package(bench: &Bench, directory: &Path, sdist: &Sdist) -> Result<PathBuf> {
    fs_err::create_dir_all(directory)?;
    let archive = fetch(directory, sdist)?;
    // Outside of this repository, whose git and cargo would take it for a part of theirs.
    let work = std::env::temp_dir().join("packhouse-acceptance-pypi").join(sdist.name);
    let help = run(Command::new(&bench.packhouse).arg("--help"))?;
    run(&mut shell(
        r#"rm -rf "$2"
           mkdir -p "$2/source" "$2/out"
           tar -xzf "$1" -C "$2/source" --strip-components=1
           cd "$2/source"
           export PACKHOUSE_CACHE_DIR=$3
           if [ "$5" = told ]; then
             export PACKHOUSE_ORG=acme PACKHOUSE_MAINTAINER='Acme <acme@acme.example>'
           else
             printf '[project]\norg = "acme"\nmaintainer = "Acme <acme@acme.example>"\ntargets = ["debian-12"]\n' > packhouse.toml
           fi
           "$4" lock
           "$4" vendor
           unshare -n "$4" build --target debian-12 --out "$2/out""#,
        [
            archive.as_os_str(),
            work.as_os_str(),
            bench.directory.join("cache").as_os_str(),
            bench.packhouse.as_os_str(),
            if help.contains("--org") { "told" } else { "file" }.as_ref(),
        ],
    ))?;
    Ok(work.join("out"))
}

/// Installs with dpkg in a copy of the root that has no network, and runs the commands as a user.
fn answer(base: &Path, packages: &Path, sdist: &Sdist) -> Result<()> {
    let lines: Vec<&str> = sdist.answers.iter().map(|(line, _)| *line).collect();
    let result = output(&mut shell(
        r#"base=$1 packages=$2 lines=$3
           work=$(mktemp -d)
           mount -t tmpfs none "$work"
           trap 'umount -l "$work/root" 2>/dev/null || true; umount -l "$work"; rmdir "$work"' EXIT
           mkdir "$work"/{upper,work,root}
           mount -t overlay overlay -o "lowerdir=$base,upperdir=$work/upper,workdir=$work/work" "$work/root"
           cp "$packages"/*.deb "$work/root/root/"
           inside() { unshare -n chroot "$@"; }
           inside "$work/root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive sh -c 'dpkg -i /root/*.deb' >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
           while read -r line; do
             echo "\$ $line"
             inside --userspec=nobody "$work/root" env -i PATH=/usr/bin:/bin HOME=/tmp LC_ALL=C.UTF-8 sh -c "$line" </dev/null || { echo "FAILED: $line"; exit 1; }
           done <<< "$lines"
           echo PASSED"#,
        [base.as_os_str(), packages.as_os_str(), lines.join("\n").as_ref()],
    ))?;
    let text = text(&result);
    if !result.status.success() || !text.contains("PASSED") {
        return Err(text.into());
    }
    match sdist.answers.iter().find(|(_, expected)| !text.contains(expected)) {
        None => Ok(()),
        Some((line, expected)) => Err(format!("`{line}` does not say `{expected}`:\n{text}").into()),
    }
}
