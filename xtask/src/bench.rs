//! `cargo xtask bench`: packhouse and its peers in turn, in one run, on the same inputs; the ratios go to
//! `docs/benchmarks.md`.
//!
//! Each contestant is a whole process, measured from outside by time(1) (wall, CPU, peak memory of the largest process).
//! Contestants alternate, so that a machine that slows down slows both. No figure is ever a test.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::process::{root, run as execute, say, shell};

const REQUIREMENTS: &str = "flask\nrequests\nsqlalchemy\ngunicorn\npydantic\ncryptography\n";

/// One measured run.
#[derive(Debug, Clone, Copy)]
struct Sample {
    /// Seconds.
    wall: f64,
    /// Seconds, user and system.
    cpu: f64,
    /// MiB.
    peak: f64,
}

/// A piece of work and the two that do it.
struct Contest {
    title: &'static str,
    bar: &'static str,
    ours: (&'static str, Vec<Sample>),
    theirs: (&'static str, Vec<Sample>),
}

/// Runs the benchmarks named (`vendor`, `build`), all by default, and writes the page.
pub(crate) fn run(names: &[String]) -> Result<()> {
    say("Building", "packhouse (release)");
    execute(Command::new("cargo").args(["build", "--release", "--locked", "--bin", "packhouse"]).current_dir(root()))?;
    let bench = Bench::new()?;
    let wanted = |name: &str| names.is_empty() || names.iter().any(|given| given == name);
    let mut contests = Vec::new();
    if wanted("vendor") {
        contests.push(bench.vendoring()?);
    }
    if wanted("build") {
        contests.push(bench.building()?);
    }
    let page = page(&contests)?;
    fs_err::write(root().join("docs/benchmarks.md"), page)?;
    say("Wrote", "docs/benchmarks.md");
    Ok(())
}

struct Bench {
    directory: PathBuf,
    packhouse: PathBuf,
    service: PathBuf,
}

impl Bench {
    fn new() -> Result<Self> {
        let directory = root().join("target/bench");
        if directory.exists() {
            fs_err::remove_dir_all(&directory)?;
        }
        let service = directory.join("shop");
        fs_err::create_dir_all(service.join("shop"))?;
        fs_err::write(service.join("requirements.txt"), REQUIREMENTS)?;
        fs_err::write(service.join("shop/__init__.py"), "def main():\n    import cryptography, flask\n")?;
        fs_err::write(
            service.join("setup.py"),
            "from setuptools import setup\nsetup(name='shop', version='1.0', packages=['shop'],\n      \
             entry_points={'console_scripts': ['acme-shop=shop:main']})\n",
        )?;
        fs_err::write(
            service.join("packhouse.toml"),
            "[project]\norg = \"acme\"\nmaintainer = \"Bench <bench@acme.example>\"\ntargets = [\"debian-12\"]\n",
        )?;
        execute(&mut shell(
            r#"cd "$1" && git init -q && git add -A && git -c user.name=Bench -c user.email=bench@acme.example commit -qm start"#,
            [&service],
        ))?;
        Ok(Self { packhouse: root().join("target/release/packhouse"), directory, service })
    }

    fn packhouse(&self, cache: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.packhouse);
        command.env("PACKHOUSE_CACHE_DIR", self.directory.join(cache)).arg("-C").arg(&self.service).args(arguments);
        command
    }

    /// From a lock and an empty cache to a full vendor directory, against pip with an empty cache.
    fn vendoring(&self) -> Result<Contest> {
        say("Measuring", "vendoring");
        execute(&mut self.packhouse("lock-cache", &["lock"]))?;
        let mut ours = Vec::new();
        let mut theirs = Vec::new();
        for _ in 0..5 {
            for stale in ["cache", "shop/vendor", "wheels"] {
                remove(&self.directory.join(stale))?;
            }
            ours.push(self.measure(&mut self.packhouse("cache", &["vendor"]))?);
            theirs.push(
                self.measure(
                    Command::new("/usr/bin/python3")
                        .args(["-m", "pip", "download", "--quiet", "--no-cache-dir", "--only-binary", ":all:", "-d"])
                        .arg(self.directory.join("wheels"))
                        .arg("-r")
                        .arg(self.service.join("requirements.txt")),
                )?,
            );
        }
        Ok(Contest {
            title: "vendoring flask, requests, sqlalchemy, gunicorn, pydantic, cryptography from an empty cache",
            bar: "3 times as fast",
            ours: ("packhouse vendor", ours),
            theirs: ("pip download", theirs),
        })
    }

    /// From a full vendor directory to a .deb, nothing derived cached, against dh-virtualenv under debhelper.
    fn building(&self) -> Result<Contest> {
        say("Measuring", "building a deb");
        execute(&mut self.packhouse("build-cache", &["vendor"]))?;
        let debian = self.debian()?;
        let mut ours = Vec::new();
        let mut theirs = Vec::new();
        for _ in 0..3 {
            for stale in ["cold-cache", "artefacts"] {
                remove(&self.directory.join(stale))?;
            }
            let out = self.directory.join("artefacts");
            ours.push(self.measure(self.packhouse("cold-cache", &["build", "--out"]).arg(&out))?);
            execute(&mut shell(r#"cd "$1" && dh_clean >/dev/null 2>&1; rm -rf debian/shop"#, [&debian]))?;
            theirs.push(
                self.measure(Command::new("dpkg-buildpackage").args(["-us", "-uc", "-b", "-d"]).current_dir(&debian))?,
            );
        }
        Ok(Contest {
            title: "building that service's deb from its vendor directory, with an empty cache",
            bar: "10 times as fast; peak memory under 300 MiB",
            ours: ("packhouse build", ours),
            theirs: ("dh-virtualenv", theirs),
        })
    }

    /// The same service, packaged the way dh-virtualenv's documentation says, from the same wheels.
    fn debian(&self) -> Result<PathBuf> {
        let directory = self.directory.join("debian/shop-1.0");
        execute(&mut shell(
            r#"mkdir -p "$1" && cp -R "$2/." "$1/" && rm -rf "$1/.git" "$1"/pylock* && mkdir -p "$1/debian/source"
cd "$1"
printf 'shop (1.0) bookworm; urgency=medium\n\n  * Start.\n\n -- Bench <bench@acme.example>  Mon, 02 Mar 2026 09:00:00 +0000\n' > debian/changelog
printf 'Source: shop\nSection: misc\nPriority: optional\nMaintainer: Bench <bench@acme.example>\nBuild-Depends: debhelper-compat (= 13), dh-virtualenv, python3\nStandards-Version: 4.6.2\n\nPackage: shop\nArchitecture: any\nDepends: ${misc:Depends}\nDescription: shop\n A shop.\n' > debian/control
printf '#!/usr/bin/make -f\nexport DH_VIRTUALENV_INSTALL_ROOT=/usr/lib/acme\n%%:\n\tdh $@ --with python-virtualenv\noverride_dh_virtualenv:\n\tdh_virtualenv --python /usr/bin/python3.11 --builtin-venv --skip-install --extra-pip-arg=--no-index --extra-pip-arg=--find-links=vendor\noverride_dh_auto_configure override_dh_auto_build override_dh_auto_test override_dh_auto_install override_dh_strip override_dh_dwz override_dh_shlibdeps override_dh_auto_clean:\n' > debian/rules
chmod +x debian/rules"#,
            [directory.as_os_str(), self.service.as_os_str()],
        ))?;
        Ok(directory)
    }

    fn measure(&self, command: &mut Command) -> Result<Sample> {
        let report = self.directory.join("time");
        let mut timed = Command::new("/usr/bin/time");
        timed.args(["-f", "%e %U %S %M", "-o"]).arg(&report).arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            if let Some(value) = value {
                timed.env(name, value);
            }
        }
        if let Some(directory) = command.get_current_dir() {
            timed.current_dir(directory);
        }
        execute(&mut timed)?;
        let text = fs_err::read_to_string(&report)?;
        let figures: Vec<f64> = text.split_whitespace().filter_map(|figure| figure.parse().ok()).collect();
        match figures.as_slice() {
            [wall, user, system, kib] => Ok(Sample { wall: *wall, cpu: user + system, peak: kib / 1024.0 }),
            _ => Err(format!("time(1) wrote {text:?}").into()),
        }
    }
}

fn remove(path: &Path) -> Result<()> {
    match fs_err::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// `min / median / max`.
fn spread(samples: &[Sample], figure: impl Fn(&Sample) -> f64) -> (f64, f64, f64) {
    let mut values: Vec<f64> = samples.iter().map(figure).collect();
    values.sort_by(f64::total_cmp);
    let at = |index: usize| values.get(index).copied().unwrap_or_default();
    (at(0), at(values.len() / 2), at(values.len().saturating_sub(1)))
}

fn page(contests: &[Contest]) -> Result<String> {
    let mut page = String::from(
        "# Benchmarks\n\nWritten by `cargo xtask bench`: both contestants in turn in one run, whole processes, each figure \
         min / median / max. The ratio is theirs to ours, run by run; what counts is the ratio, not the seconds of one machine.\n",
    );
    let machine = execute(&mut shell(
        r#"printf '%s, %s processors, %s MiB' "$(uname -m)" "$(nproc)" "$(awk '/MemTotal/ {print int($2/1024)}' /proc/meminfo)""#,
        [""],
    ))?;
    writeln!(page, "\nMachine: {machine}.")?;
    for contest in contests {
        writeln!(
            page,
            "\n## {}{}\n",
            contest.title.get(..1).unwrap_or_default().to_uppercase(),
            contest.title.get(1..).unwrap_or_default()
        )?;
        writeln!(page, "The bar: {}.\n\n| | wall s | CPU s | peak MiB |\n|---|---|---|---|", contest.bar)?;
        for (name, samples) in [&contest.ours, &contest.theirs] {
            let cell = |(low, middle, high): (f64, f64, f64)| format!("{low:.2} / {middle:.2} / {high:.2}");
            writeln!(
                page,
                "| {name} | {} | {} | {} |",
                cell(spread(samples, |sample| sample.wall)),
                cell(spread(samples, |sample| sample.cpu)),
                cell(spread(samples, |sample| sample.peak)),
            )?;
        }
        let ratios: Vec<Sample> = contest
            .theirs
            .1
            .iter()
            .zip(&contest.ours.1)
            .map(|(theirs, ours)| Sample {
                wall: theirs.wall / ours.wall.max(0.005),
                cpu: theirs.cpu / ours.cpu.max(0.005),
                peak: theirs.peak / ours.peak.max(0.1),
            })
            .collect();
        let cell = |(low, middle, high): (f64, f64, f64)| format!("{low:.1} / {middle:.1} / {high:.1}");
        writeln!(
            page,
            "| **ratio** | {} | {} | {} |",
            cell(spread(&ratios, |sample| sample.wall)),
            cell(spread(&ratios, |sample| sample.cpu)),
            cell(spread(&ratios, |sample| sample.peak)),
        )?;
    }
    Ok(page)
}
