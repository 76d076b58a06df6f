//! A stand-in for Enterprise Linux 9 that installs from the published repository with dnf and with zypper.
//!
//! No mirror of EL is needed: a Debian root is packed as one rpm under EL's names (`tests/acceptance/world-base.spec`), with
//! glibc's symbol versions cut at those of EL 9.

use std::path::PathBuf;

use super::{Bench, debian};
use crate::Result;
use crate::process::{output, root, run, say, shell, text};

/// A yum repository with the stand-in, made once and kept.
pub(super) fn base(bench: &Bench) -> Result<PathBuf> {
    let directory = bench.directory.join("el9-base");
    let spec = root().join("tests/acceptance/world-base.spec");
    // What it was made from lies beside it.
    if fs_err::read(directory.join("world-base.spec"))
        .is_ok_and(|made| fs_err::read(&spec).is_ok_and(|text| made == text))
    {
        return Ok(directory);
    }
    let world = debian::base(bench, "bookworm")?;
    say("Making", "a stand-in for the base of EL 9");
    run(&mut shell(
        r#"rm -rf "$1" "$1.top"
           mkdir -p "$1"
           rpmbuild -bb --quiet --define "_world $2" --define "_topdir $1.top" --define "_rpmdir $1" --define '_binary_payload w1.zstdio' "$3"
           rm -rf "$1.top"
           createrepo_c -q "$1"
           cp "$3" "$1/""#,
        [directory.as_os_str(), world.as_os_str(), spec.as_os_str()],
    ))?;
    Ok(directory)
}

const PREPARE: &str = r#"
base=$1 repository=$2 script=$3
packages="acme-api acme-billing acme-ctl acme-edge acme-edge-debuginfo acme-worker"
work=$(mktemp -d)
mount -t tmpfs none "$work"
trap 'umount -R "$work" 2>/dev/null || umount -l "$work"; rmdir "$work"' EXIT
fail() { echo "FAILED: $*"; exit 1; }
mkdir -p "$work"/{repos,cache,copy}
configure() {
  printf '[base]\nname=base\nbaseurl=file://%s\ngpgcheck=0\nenabled=1\n' "$base" > "$work/repos/base.repo"
  sed "s#$repository#$1#g" "$repository/acme-el9.repo" > "$work/repos/acme.repo"
  grep -q '^gpgcheck *= *1' "$work/repos/acme.repo" && grep -q '^repo_gpgcheck *= *1' "$work/repos/acme.repo" || fail "the .repo file does not ask for signatures"
  printf '[main]\nreposdir=%s\ncachedir=%s\nkeepcache=0\nplugins=0\nassumeyes=1\ntsflags=\nexcludepkgs=\ninstall_weak_deps=0\nlogdir=%s\npersistdir=%s\n' "$work/repos" "$work/cache" "$work" "$work/persist" > "$work/dnf.conf"
}
dnf_in() { local root=$1; shift; rm -rf "$work/cache" "$root$work" "$root/var/cache/dnf"; unshare -n dnf -c "$work/dnf.conf" --installroot="$root" --releasever=9 --setopt=reposdir="$work/repos" -y "$@"; }
"#;

/// dnf and zypper install, the services answer, removal leaves nothing.
pub(super) fn install(bench: &Bench) -> Result<()> {
    let base = base(bench)?;
    let script = root().join("tests/acceptance/rpm-inside.sh");
    for client in ["dnf", "zypper"] {
        say("Installing", &format!("with {client} in a clean stand-in for EL 9"));
        let steps = match client {
            "dnf" => {
                r#"
configure "$repository"
mkdir "$work/root"
dnf_in "$work/root" install world-base >"$work/log" 2>&1 || { cat "$work/log"; fail "the base"; }
find "$work/root" -xdev | LC_ALL=C sort | grep -vE '/(var/lib/(rpm|dnf)|var/cache|root/.rpmdb|var/log)' > "$work/before"
dnf_in "$work/root" install $packages >"$work/log" 2>&1 || { cat "$work/log"; fail "dnf install"; }
remove() { dnf_in "$work/root" remove $packages >"$work/log" 2>&1 || { cat "$work/log"; fail "dnf remove"; }; }
"#
            }
            _ => {
                r#"
configure "$repository"
mkdir "$work/root"
zypper_in() { unshare -n zypper --root "$work/root" --non-interactive --gpg-auto-import-keys "$@"; }
{ zypper_in addrepo --no-gpgcheck "file://$base" base && zypper_in install --no-recommends world-base; } >"$work/log" 2>&1 || { cat "$work/log"; fail "the base"; }
find "$work/root" -xdev | LC_ALL=C sort | grep -vE '/(var/lib/(rpm|zypp)|var/cache|root/.rpmdb|var/log|etc/zypp)' > "$work/before"
{ zypper_in addrepo "$work/repos/acme.repo" && zypper_in refresh acme-el9 && zypper_in install --no-recommends $packages; } >"$work/log" 2>&1 || { cat "$work/log"; fail "zypper install"; }
remove() { zypper_in remove $packages >"$work/log" 2>&1 || { cat "$work/log"; fail "zypper remove"; }; }
"#
            }
        };
        let after = r#"
verify=$(rpm --root "$work/root" -V $packages) || true
[ -z "$verify" ] || fail "rpm -V: $verify"
provides=$(rpm --root "$work/root" -q --provides $packages)
echo "$provides" | grep -vE '^bundled\(' | grep -E '\.so|python3\.?[0-9]*dist' && fail "the private tree is provided"
query() { rpm --root "$work/root" -q "$@"; }
has() { local pattern=$1 output; shift; output=$(query "$@") && grep -qE "$pattern" <<<"$output" || { echo "$output"; fail "no $pattern in rpm -q $*"; }; }
has '^bundled\(python3dist\(flask\)\) = ' --provides acme-api
has '^bundled\(crate\(serde\)\) = ' --provides acme-edge
has '^libc\.so\.6\(GLIBC_2\.' --requires acme-edge
has '^(/usr/bin/python3\.11|python\(abi\) = 3\.11)$' --requires acme-api
has '^debuginfo\(build-id\) = [0-9a-f]{40}$' --provides acme-edge-debuginfo
has '^\* [A-Z][a-z]{2} [A-Z][a-z]{2} [0-9]{2} 2026 .*<.*> - 1\.4\.2-1(\.el9)?$' --changelog acme-api
has 'systemd-update-helper mark-restart-system-units acme-edge\.service' --scripts acme-edge
has '^/etc/acme/acme-api\.toml$' --configfiles acme-api
has '^/usr/share/licenses/acme-api/' --licensefiles acme-api
has '^/usr/share/doc/acme-api/' --docfiles acme-api
for package in $packages; do
  query --scripts "$package" | grep -nE '%[({]' && fail "an unexpanded macro in a scriptlet of $package"
done
query -l $packages > "$work/list"
for command in $(grep '^/usr/bin/.' "$work/list"); do
  grep -q "^/usr/share/man/man[168]/${command##*/}\.[168]\.gz$" "$work/list" || fail "no manual page of $command"
done
grep -E '^/usr/lib/systemd/(system|user)/[^/]+\.[a-z]+$' "$work/list" | LC_ALL=C sort -u > "$work/root/tmp/units"
cp "$script" "$work/root/tmp/inside.sh"
unshare -n -m -p --fork chroot "$work/root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin bash /tmp/inside.sh >"$work/log" 2>&1 || { cat "$work/log"; fail "inside"; }
grep -q PASSED "$work/log" || { cat "$work/log"; fail "inside"; }
unowned=$(cd "$work/root" && find usr/lib/acme -type d -name __pycache__ -prune -o -print | sed 's#^#/#' | while read -r path; do rpm --root "$work/root" -qf "$path" >/dev/null 2>&1 || echo "$path"; done)
[ -z "$unowned" ] || fail "not owned: $unowned"
rm -rf "$work/root/tmp"/*
remove
find "$work/root" -xdev | LC_ALL=C sort | grep -vE '/(var/lib/(rpm|dnf|zypp)|var/cache|root/.rpmdb|root/.gnupg|var/log|etc/zypp)' > "$work/after"
left=$(LC_ALL=C comm -13 "$work/before" "$work/after" | grep -vE '/etc/(passwd|group|shadow|gshadow)-$|/etc/\.pwd\.lock$|/var/lib/acme-|/etc/acme(/acme-api.toml.rpmsave)?$|/tmp' || true)
[ -z "$left" ] || fail "left behind: $left"
echo PASSED
"#;
        check(output(&mut shell(
            &format!("{PREPARE}{steps}{after}"),
            [base.as_os_str(), bench.repository.as_os_str(), script.as_os_str()],
        ))?)?;
    }
    Ok(())
}

/// dnf refuses an altered index, an altered package and a missing signature.
pub(super) fn tampering(bench: &Bench) -> Result<()> {
    let base = base(bench)?;
    say("Tampering", "with the yum repository");
    let steps = r#"
copy="$work/copy/repository"
fresh() { rm -rf "$copy"; cp -a "$repository" "$copy"; configure "$copy"; }
mkdir "$work/root"
fresh
dnf_in "$work/root" install world-base >"$work/log" 2>&1 || { cat "$work/log"; fail "the base"; }
dnf_in "$work/root" install --downloadonly acme-ctl >"$work/log" 2>&1 || { cat "$work/log"; fail "an untouched repository is refused"; }

package=$(find "$copy/yum/el9" -name 'acme-ctl-*.rpm')
printf x | dd of="$package" bs=1 seek=6000 conv=notrunc status=none
if dnf_in "$work/root" install acme-ctl >"$work/log" 2>&1; then cat "$work/log"; fail "an altered package is taken"; fi

fresh
for index in "$copy"/yum/el9/repodata/*primary*; do printf x >> "$index"; done
if dnf_in "$work/root" install acme-ctl >"$work/log" 2>&1; then cat "$work/log"; fail "an altered index is taken"; fi

fresh
sed -i 's#<revision>#<revision>9#' "$copy/yum/el9/repodata/repomd.xml"
if dnf_in "$work/root" install acme-ctl >"$work/log" 2>&1; then cat "$work/log"; fail "an altered repomd.xml is taken"; fi

fresh
rm "$copy/yum/el9/repodata/repomd.xml.asc"
if dnf_in "$work/root" install acme-ctl >"$work/log" 2>&1; then cat "$work/log"; fail "an unsigned repomd.xml is taken"; fi
echo PASSED
"#;
    check(output(&mut shell(
        &format!("{PREPARE}{steps}"),
        [base.as_os_str(), bench.repository.as_os_str(), "".as_ref()],
    ))?)
}

fn check(result: std::process::Output) -> Result<()> {
    let text = text(&result);
    if result.status.success() && text.contains("PASSED") { Ok(()) } else { Err(text.into()) }
}
