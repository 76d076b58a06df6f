//! The repositories that are built: a Python service with six dependencies, ripgrep's crate, and services by the dozen.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Bench;
use crate::Result;
use crate::process::{run as execute, say, shell};

/// Six dependencies that many services have.
const REQUIREMENTS: &str = "flask\nrequests\nsqlalchemy\ngunicorn\npydantic\ncryptography\n";
/// The program that many build tools are measured with.
const RIPGREP: &str = "15.2.0";

/// Makes what has changed in `directory` a commit.
pub(super) fn commit(directory: &Path) -> Result<()> {
    let script = r#"cd "$1" && { test -d .git || git init -q; } && git add -A &&
{ git diff --cached --quiet || git -c user.name=Bench -c user.email=bench@acme.example commit -qm change; }"#;
    execute(&mut shell(script, [directory])).map(drop)
}

/// The Python service, without a vendor directory.
pub(super) fn python(directory: &Path) -> Result<()> {
    fs_err::create_dir_all(directory.join("shop"))?;
    fs_err::write(directory.join("requirements.txt"), REQUIREMENTS)?;
    fs_err::write(directory.join("shop/__init__.py"), "def main():\n    import cryptography, flask\n")?;
    fs_err::write(
        directory.join("setup.py"),
        "from setuptools import setup\nsetup(name='shop', version='1.0', packages=['shop'],\n      \
         entry_points={'console_scripts': ['acme-shop=shop:main']})\n",
    )?;
    fs_err::write(directory.join("packhouse.toml"), configuration("\"debian-12\""))?;
    commit(directory)
}

/// The same service, packaged the way dh-virtualenv's documentation says, from the same wheels.
pub(super) fn debianised(service: &Path, directory: &Path) -> Result<()> {
    execute(&mut shell(
        r#"rm -rf "$1" && mkdir -p "$1" && cp -R "$2/." "$1/" && rm -rf "$1/.git" "$1"/pylock* && mkdir -p "$1/debian/source"
cd "$1"
printf 'shop (1.0) bookworm; urgency=medium\n\n  * Start.\n\n -- Bench <bench@acme.example>  Mon, 02 Mar 2026 09:00:00 +0000\n' > debian/changelog
printf 'Source: shop\nSection: misc\nPriority: optional\nMaintainer: Bench <bench@acme.example>\nBuild-Depends: debhelper-compat (= 13), dh-virtualenv, python3\nStandards-Version: 4.6.2\n\nPackage: shop\nArchitecture: any\nDepends: ${misc:Depends}\nDescription: shop\n A shop.\n' > debian/control
printf '#!/usr/bin/make -f\nexport DH_VIRTUALENV_INSTALL_ROOT=/usr/lib/acme\n%%:\n\tdh $@ --with python-virtualenv\noverride_dh_virtualenv:\n\tdh_virtualenv --python /usr/bin/python3 --builtin-venv --skip-install --extra-pip-arg=--no-index --extra-pip-arg=--find-links=vendor\noverride_dh_auto_configure override_dh_auto_build override_dh_auto_test override_dh_auto_install override_dh_strip override_dh_dwz override_dh_shlibdeps override_dh_auto_clean:\n' > debian/rules
chmod +x debian/rules"#,
        [directory, service],
    ))
    .map(drop)
}

/// ripgrep's crate as its registry has it, with its program built for the peers, and a lock and vendored crates for us.
/// Nobody has anything to strip: cargo does it.
pub(super) fn ripgrep(bench: &Bench) -> Result<PathBuf> {
    let directory = bench.directory.join("inputs/ripgrep");
    let done = directory.join("target/release/rg");
    if done.is_file() && directory.join("packhouse.toml").is_file() {
        return Ok(directory);
    }
    say("Making", "ripgrep's crate, with its program");
    let fetched = bench.directory.join("inputs/ripgrep-fetched");
    let manifest = format!(
        "[package]\nname = \"fetch\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[lib]\npath = \"lib.rs\"\n[workspace]\n\
         [dependencies]\nripgrep = \"={RIPGREP}\"\n"
    );
    fs_err::create_dir_all(&fetched)?;
    fs_err::write(fetched.join("Cargo.toml"), manifest)?;
    fs_err::write(fetched.join("lib.rs"), "")?;
    execute(&mut shell(
        r#"rm -rf "$2"; cd "$1" && cargo vendor --quiet vendor >/dev/null && cp -R vendor/ripgrep "$2" && rm -f "$2/.cargo-checksum.json" && rm -rf vendor"#,
        [&fetched, &directory],
    ))?;
    let manifest = fs_err::read_to_string(directory.join("Cargo.toml"))?;
    let mut manifest = without_packaging(&manifest);
    manifest.push_str(
        r#"
[workspace]

[package.metadata.deb]
maintainer = "Bench <bench@acme.example>"
assets = [["target/release/rg", "usr/bin/", "755"], ["README.md", "usr/share/doc/ripgrep/", "644"]]
depends = ""

[package.metadata.generate-rpm]
license = "MIT"
assets = [
    { source = "target/release/rg", dest = "/usr/bin/rg", mode = "755" },
    { source = "README.md", dest = "/usr/share/doc/ripgrep/README.md", mode = "644", doc = true },
]
auto-req = "no"
"#,
    );
    fs_err::write(directory.join("Cargo.toml"), manifest)?;
    fs_err::write(directory.join(".gitignore"), "/target\n/vendor\n")?;
    fs_err::write(directory.join("packhouse.toml"), configuration("\"debian-12\", \"el9\""))?;
    let build = ["build", "--release", "--quiet", "--config", "profile.release.strip=\"symbols\""];
    execute(Command::new("cargo").args(build).args(["--target-dir", "target"]).current_dir(&directory))?;
    commit(&directory)?;
    Ok(directory)
}

/// A manifest without the sections that tell packaging tools of files which the crate does not hold, and with a stripped
/// program.
fn without_packaging(manifest: &str) -> String {
    let mut kept = String::new();
    let mut leave_out = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            let name = line.trim_matches(['[', ']']);
            leave_out = name.starts_with("package.metadata") || name.starts_with("profile.") || name == "workspace";
        }
        if !leave_out {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept.push_str("\n[profile.release]\nstrip = \"symbols\"\n");
    kept
}

fn configuration(targets: &str) -> String {
    format!("[project]\norg = \"acme\"\nmaintainer = \"Bench <bench@acme.example>\"\ntargets = [{targets}]\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_crate_says_to_other_packaging_tools_is_taken_out() {
        let manifest = "[package]\nname = \"a\"\n\n[package.metadata.deb]\nassets = []\n\n[dependencies]\nb = \"1\"\n";
        let kept = without_packaging(manifest);
        assert!(kept.contains("name = \"a\"") && kept.contains("b = \"1\""), "{kept}");
        assert!(!kept.contains("metadata") && kept.contains("strip = \"symbols\""), "{kept}");
    }
}
