//! Clean Debian roots, booted with systemd and without network, that install from the published repository.

use std::path::PathBuf;

use super::Bench;
use super::machine::{Machine, script};
use crate::Result;
use crate::process::{output, run, say, shell, text};

/// What a root needs beyond the minimum.
pub(super) const PACKAGES: &str = "systemd,systemd-sysv,dbus,python3,ca-certificates,libpython3-stdlib,procps,passwd";

/// A minimal root of `suite` with systemd, made once and kept.
pub(super) fn base(bench: &Bench, suite: &str) -> Result<PathBuf> {
    made(bench, suite, suite, PACKAGES)
}

/// A minimal root of `suite` with `package` for a tool, made once and kept.
pub(super) fn derived(bench: &Bench, suite: &str, package: &str) -> Result<PathBuf> {
    made(bench, suite, &format!("{suite}-{package}"), package)
}

/// The root `name` of `suite` with `packages`, made where it is not there yet.
pub(super) fn made(bench: &Bench, suite: &str, name: &str, packages: &str) -> Result<PathBuf> {
    let directory = bench.directory.join("roots").join(name);
    if directory.join("usr/bin/dpkg").exists() {
        return Ok(directory);
    }
    say("Making", &format!("a {suite} root ({name})"));
    fs_err::create_dir_all(bench.directory.join("roots"))?;
    run(&mut shell(
        r#"rm -rf --one-file-system "$1.new"
           mmdebstrap --quiet --variant=minbase --include="$3" "$2" "$1.new"
           rm -f "$1.new/etc/resolv.conf"
           mv "$1.new" "$1""#,
        [directory.as_os_str(), suite.as_ref(), packages.as_ref()],
    ))?;
    Ok(directory)
}

/// Boots a throw-away copy of the root and runs the client's script in it.
pub(super) fn install(bench: &Bench, suite: &str, target: &str) -> Result<()> {
    let base = base(bench, suite)?;
    say("Installing", &format!("with apt in a clean {suite}"));
    let sources = bench.repository.join(format!("acme-{target}.sources"));
    let machine = Machine { base: &base, directories: &[&bench.repository], files: &[script("debian-inside.sh")] };
    let result = machine.run(&["bash", "/root/debian-inside.sh", &sources.to_string_lossy()])?;
    let text = text(&result);
    if result.status.success() && text.contains("PASSED") { Ok(()) } else { Err(format!("in {suite}:\n{text}").into()) }
}

/// apt refuses an altered index and an altered package.
pub(super) fn tampering(bench: &Bench) -> Result<()> {
    let base = base(bench, "bookworm")?;
    say("Tampering", "with the apt repository");
    let result = output(&mut shell(
        r#"base=$1 repository=$2
           work=$(mktemp -d)
           mount -t tmpfs none "$work"
           trap 'umount -R "$work/root/proc" 2>/dev/null || true; umount -l "$work/root$repository" "$work/root" 2>/dev/null || true; umount -l "$work"; rmdir "$work"' EXIT
           mkdir "$work"/{upper,work,root,copy}
           mount -t overlay overlay -o "lowerdir=$base,upperdir=$work/upper,workdir=$work/work" "$work/root"
           rm -f "$work"/root/etc/apt/sources.list "$work"/root/etc/apt/sources.list.d/*
           cp "$repository/acme-debian-12.sources" "$work/root/etc/apt/sources.list.d/"
           mkdir -p "$work/root$repository"
           fresh() { umount "$work/root$repository" 2>/dev/null || true; rm -rf "$work/copy"; cp -a "$repository" "$work/copy"; mount --bind "$work/copy" "$work/root$repository"; rm -rf "$work"/root/var/lib/apt/lists/*; }
           inside() { unshare -n chroot "$work/root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"; }

           fresh
           inside apt-get update >/dev/null
           inside apt-get install -y --download-only acme-ctl >/dev/null || { echo "FAILED: an untouched repository is refused"; exit 1; }
           rm -f "$work"/root/var/cache/apt/archives/*.deb

           package=$(find "$work/copy/apt/pool" -name 'acme-ctl_*deb12*.deb')
           printf x | dd of="$package" bs=1 seek=2000 conv=notrunc status=none
           if inside apt-get install -y --download-only acme-ctl >"$work/log" 2>&1; then cat "$work/log"; echo "FAILED: an altered package is taken"; exit 1; fi
           grep -q 'Hash Sum mismatch' "$work/log" || { cat "$work/log"; echo "FAILED: not for its hash"; exit 1; }

           fresh
           find "$work/copy/apt/dists/debian-12" -type f \( -name 'Packages*' -o -path '*by-hash*' \) -exec sh -c 'printf "\n" >> "$1"' x {} \;
           inside apt-get update >"$work/log" 2>&1 && ! grep -qE '^(W|E):' "$work/log" && { cat "$work/log"; echo "FAILED: altered indices are taken"; exit 1; }

           fresh
           sed -i 's/^Label: .*/Label: Someone Else/' "$work/copy/apt/dists/debian-12/InRelease"
           inside apt-get update >"$work/log" 2>&1 && ! grep -qE '^(W|E):.*(signature|BADSIG|GPG)' "$work/log" && { cat "$work/log"; echo "FAILED: an altered InRelease is taken"; exit 1; }
           [ "$(inside apt-cache pkgnames acme- | wc -l)" -eq 0 ] || { echo "FAILED: apt knows packages of an altered repository"; exit 1; }
           umount "$work/root$repository"
           echo PASSED"#,
        [base.as_os_str(), bench.repository.as_os_str()],
    ))?;
    let text = text(&result);
    if result.status.success() && text.contains("PASSED") { Ok(()) } else { Err(text.into()) }
}
