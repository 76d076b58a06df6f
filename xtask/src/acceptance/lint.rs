//! The distributions' own judges of packages: lintian of Debian 12 and of Debian 13 and rpmlint on every package of the
//! sample, shellcheck on every maintainer script, groff on every manual page. No error and no warning.
//!
//! What is overridden is judged as well: lintian's overrides are for the vendored prefix alone and each stands below the
//! comment that gives its reason; so does each filter of `tests/acceptance/rpmlint.toml`.
//!
//! No lintian of these reads zstd, which dpkg does since Debian 12: of such a package it says that, and sees nothing more.
//! It judges the same packages built with `compression = "xz"` instead, and that it says nothing else of the others is a
//! test of its own. Packages that are mostly a small program have xz of themselves.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Bench, debian};
use crate::Result;
use crate::process::{output, root, run, say, shell, text};

/// All gates; what any of them finds is shown together.
pub(super) fn run_all(bench: &Bench) -> Result<()> {
    let mut found = Vec::new();
    let compressed = with_xz(bench)?;
    let debs = |directory: &Path, part: &str| packages(directory, part, ".deb");
    let bookworm = Lintian::of(bench, "bookworm")?;
    let trixie = Lintian::of(bench, "trixie")?;

    let all = debs(&bench.artefacts, "~deb")?;
    for lintian in [&bookworm, &trixie] {
        say("Judging", &format!("debs (built with xz) with lintian {}", lintian.version));
        found.extend(lintian.judge(&debs(&compressed, "~deb")?)?);
        found.extend(unreadable(lintian, &all)?);
    }
    found.extend(overrides(&all)?);

    let rpms = packages(&bench.repository.join("yum"), "", ".rpm")?;
    say("Judging", "rpms with rpmlint");
    found.extend(rpmlint(bench, &rpms)?);
    found.extend(filters()?);

    say("Judging", "maintainer scripts with shellcheck");
    found.extend(shellcheck(bench, &all, &rpms)?);
    say("Judging", "manual pages with groff");
    found.extend(manuals(bench, &all)?);
    if found.is_empty() { Ok(()) } else { Err(found.join("\n").into()) }
}

/// The packages below `directory` whose names have `part` and end in `suffix`; that there are some is part of each test.
fn packages(directory: &Path, part: &str, suffix: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_path_buf()];
    while let Some(directory) = open.pop() {
        for entry in fs_err::read_dir(directory)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                open.push(path);
            } else if name.ends_with(suffix) && !name.ends_with(".src.rpm") && name.contains(part) {
                found.push(path);
            }
        }
    }
    found.sort();
    if found.len() < 5 {
        return Err(format!("only {} packages in {}: {found:?}", found.len(), directory.display()).into());
    }
    Ok(found)
}

/// The sample's debs with xz members.
fn with_xz(bench: &Bench) -> Result<PathBuf> {
    say("Building", "the debs with xz");
    let directory = bench.directory.join("lint");
    run(&mut shell(
        r#"rm -rf "$2" && mkdir -p "$2" && cp -a "$1" "$2/acme-cloud"
           cd "$2/acme-cloud"
           for target in debian-12 debian-13; do printf '\n[targets.%s]\ncompression = "xz"\n' "$target" >> packhouse.toml; done
           PACKHOUSE_CACHE_DIR=$4 "$3" -q build --target debian-12,debian-13 --out "$2/artefacts""#,
        [
            bench.sample.as_os_str(),
            directory.as_os_str(),
            bench.packhouse.as_os_str(),
            bench.directory.join("cache").as_os_str(),
        ],
    ))?;
    Ok(directory.join("artefacts"))
}

/// lintian of one release.
struct Lintian {
    /// The root that it runs in; none where the machine is of that release.
    root: Option<PathBuf>,
    version: String,
}

impl Lintian {
    fn of(bench: &Bench, suite: &str) -> Result<Self> {
        let machine = fs_err::read_to_string("/etc/os-release")?;
        let own = machine.lines().any(|line| line == format!("VERSION_CODENAME={suite}"));
        let root = if own { None } else { Some(debian::derived(bench, suite, "lintian")?) };
        let mut lintian = Self { root, version: String::new() };
        lintian.version = run(&mut lintian.command(&["--print-version".to_owned()], &[]))?.trim().to_owned();
        Ok(lintian)
    }

    /// lintian with packages, which are seen in `/mnt` of its root.
    fn command(&self, options: &[String], packages: &[PathBuf]) -> Command {
        let (script, mut arguments): (_, Vec<std::ffi::OsString>) = match &self.root {
            None => (r#"exec lintian --no-cfg --allow-root "$@""#, Vec::new()),
            Some(root) => (
                r#"root=$1; shift
                   exec unshare -m -p --fork bash -euc '
                     root=$1; shift
                     mount -t proc proc "$root/proc"
                     mount -t tmpfs none "$root/tmp"
                     mount -t tmpfs none "$root/mnt"
                     arguments=()
                     for argument in "$@"; do
                       case "$argument" in
                         /*.deb) cp "$argument" "$root/mnt/"; arguments+=("/mnt/${argument##*/}") ;;
                         *) arguments+=("$argument") ;;
                       esac
                     done
                     exec chroot "$root" env -i PATH=/usr/bin:/bin LC_ALL=C.UTF-8 lintian --no-cfg --allow-root "${arguments[@]}"' shell "$root" "$@""#,
                vec![root.clone().into()],
            ),
        };
        arguments.extend(options.iter().map(Into::into));
        arguments.extend(packages.iter().map(Into::into));
        shell(script, arguments)
    }

    /// Errors and warnings, one per line.
    fn tags(&self, packages: &[PathBuf]) -> Result<Vec<String>> {
        let options = ["--fail-on", "error,warning"].map(str::to_owned);
        let result = output(&mut self.command(&options, packages))?;
        let said = String::from_utf8_lossy(&result.stdout).into_owned();
        let tags: Vec<String> = said.lines().filter(|line| !line.starts_with("N:")).map(str::to_owned).collect();
        // 0: nothing; 2: what --fail-on names; else lintian itself failed.
        match result.status.code() {
            Some(0 | 2) if (result.status.code() == Some(2)) != tags.is_empty() => Ok(tags),
            _ => Err(format!("lintian {} ended with {}\n{}", self.version, result.status, text(&result)).into()),
        }
    }

    fn judge(&self, packages: &[PathBuf]) -> Result<Vec<String>> {
        Ok(self.tags(packages)?.into_iter().map(|tag| format!("lintian {}: {tag}", self.version)).collect())
    }
}

/// What a lintian that does not read zstd says of packages, beyond that where they have zstd members.
fn unreadable(lintian: &Lintian, packages: &[PathBuf]) -> Result<Vec<String>> {
    let tags = lintian.tags(packages)?;
    let known = |tag: &&String| tag.contains(": malformed-deb-archive ") && tag.contains(".tar.zst not ");
    let mut compressed = 0;
    for package in packages {
        compressed += usize::from(run(Command::new("ar").arg("t").arg(package))?.contains(".tar.zst"));
    }
    if compressed == 0 || tags.iter().filter(known).count() < compressed {
        return Err(format!("lintian {} reads zstd now: judge those packages with it", lintian.version).into());
    }
    Ok(tags.iter().filter(|tag| !known(tag)).map(|tag| format!("lintian {}: {tag}", lintian.version)).collect())
}

/// Each override names a path of the vendored prefix and has its reason above it.
fn overrides(packages: &[PathBuf]) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    for deb in packages {
        let name = run(Command::new("dpkg-deb").arg("-f").arg(deb).arg("Package"))?.trim().to_owned();
        let file = run(&mut shell(
            r#"dpkg-deb --fsys-tarfile "$1" | tar -x -O --wildcards './usr/share/lintian/overrides/*' 2>/dev/null || true"#,
            [deb],
        ))?;
        let mut reason = false;
        for line in file.lines() {
            if line.starts_with('#') {
                reason = true;
                continue;
            }
            let tag = line.strip_prefix(&format!("{name}: "));
            let inside = line.contains(&format!("[usr/lib/acme/{name}/")) && line.ends_with(']');
            if tag.is_none() || !inside || !reason {
                wrong.push(format!(
                    "{}: an override that is not for the vendored prefix, or without reason: {line}",
                    deb.display()
                ));
            }
        }
    }
    Ok(wrong)
}

/// rpmlint, with a database of its own that knows the repository's key: Debian's rpm keeps it below `HOME`.
fn rpmlint(bench: &Bench, packages: &[PathBuf]) -> Result<Vec<String>> {
    let home = bench.directory.join("lint/home");
    fs_err::create_dir_all(&home)?;
    run(Command::new("rpm").env("HOME", &home).arg("--import").arg(bench.directory.join("acme.key.pub")))?;
    let result = output(Command::new("rpmlint").env("HOME", &home).arg("--config").arg(filter_file()).args(packages))?;
    let said = text(&result);
    if !said.contains(&format!("{} packages and 0 specfiles checked", packages.len())) {
        return Err(format!("rpmlint ended with {}\n{said}", result.status).into());
    }
    let tags = said.lines().filter(|line| line.contains(": E: ") || line.contains(": W: "));
    Ok(tags.map(|tag| format!("rpmlint: {tag}")).collect())
}

fn filter_file() -> PathBuf {
    root().join("tests/acceptance/rpmlint.toml")
}

/// Each filter of rpmlint's has its reason above it.
fn filters() -> Result<Vec<String>> {
    let text = fs_err::read_to_string(filter_file())?;
    let (mut inside, mut reason, mut wrong) = (false, false, Vec::new());
    for line in text.lines().map(str::trim) {
        if line.starts_with("Filters") {
            inside = true;
        } else if line == "]" {
            inside = false;
        } else if inside && line.starts_with('#') {
            reason = true;
        } else if inside && line.is_empty() {
            reason = false;
        } else if inside && !reason {
            wrong.push(format!("rpmlint.toml: a filter without reason: {line}"));
        }
    }
    Ok(wrong)
}

/// shellcheck on the scripts of all packages; dpkg's by file, RPM's by tag.
fn shellcheck(bench: &Bench, debs: &[PathBuf], rpms: &[PathBuf]) -> Result<Vec<String>> {
    let directory = bench.directory.join("lint/scripts");
    fs_err::create_dir_all(&directory)?;
    let mut command = shell(
        r#"directory=$1; shift
           for package in "$@"; do
             name=${package##*/}
             case "$package" in
               *.deb)
                 dpkg-deb -e "$package" "$directory/control"
                 for script in preinst postinst prerm postrm; do
                   [ ! -e "$directory/control/$script" ] || mv "$directory/control/$script" "$directory/$name.$script"
                 done
                 rm -rf "$directory/control" ;;
               *.rpm)
                 for tag in PREIN POSTIN PREUN POSTUN PRETRANS POSTTRANS; do
                   rpm -qp --nosignature --qf "%{$tag}" "$package" > "$directory/$name.$tag"
                   [ "$(cat "$directory/$name.$tag")" != "(none)" ] || rm "$directory/$name.$tag"
                 done ;;
             esac
           done
           cd "$directory"
           scripts=(*)
           [ ${#scripts[@]} -gt 30 ] || { echo "only ${#scripts[@]} scripts"; exit 1; }
           shellcheck --norc --shell=sh --severity=style --format=gcc "${scripts[@]}""#,
        [&directory],
    );
    let result = output(command.args(debs).args(rpms))?;
    Ok(if result.status.success() {
        Vec::new()
    } else {
        text(&result).lines().map(|line| format!("shellcheck: {line}")).collect()
    })
}

/// groff's warnings on the manual pages of all packages.
fn manuals(bench: &Bench, debs: &[PathBuf]) -> Result<Vec<String>> {
    let directory = bench.directory.join("lint/manuals");
    fs_err::create_dir_all(&directory)?;
    let mut command = shell(
        r#"directory=$1; shift
           for package in "$@"; do
             mkdir -p "$directory/${package##*/}"
             dpkg-deb --fsys-tarfile "$package" | tar -x -C "$directory/${package##*/}" --wildcards './usr/share/man/*' 2>/dev/null || true
           done
           find "$directory" -name '*.gz' | LC_ALL=C sort | while read -r page; do
             MANWIDTH=80 LC_ALL=C.UTF-8 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null | sed "s#^#${page##*/}: #"
           done"#,
        [&directory],
    );
    Ok(run(command.args(debs))?.lines().map(|line| format!("groff: {line}")).collect())
}
