//! piuparts on every deb of the sample for Debian 12: installation, removal, purge and what they leave, in a minimal root.
//!
//! The root has what the sample depends on and no sources, so no mirror is asked. What piuparts does with each package
//! (two installations, with removal between them, and the search for what is left) does not depend on the others.

use std::path::PathBuf;

use super::{Bench, debian};
use crate::Result;
use crate::process::{output, say, shell, text};

/// Every deb for Debian 12, two at a time.
pub(super) fn run_all(bench: &Bench) -> Result<()> {
    // piuparts calls logrotate for packages that configure it, and then finds logrotate's own memory.
    let base = debian::made(bench, "bookworm", "bookworm-piuparts", &format!("{},logrotate", debian::PACKAGES))?;
    let mut debs: Vec<PathBuf> = Vec::new();
    for entry in fs_err::read_dir(&bench.artefacts)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".deb") && name.contains("~deb12") && !name.contains("-dbgsym_") {
            debs.push(path);
        }
    }
    debs.sort();
    say("Judging", &format!("{} debs with piuparts", debs.len()));
    let result = output(
        shell(
            r#"base=$1; shift
               work=$(mktemp -d)
               mount -t tmpfs none "$work"
               trap 'umount "$work/root" 2>/dev/null || true; umount -l "$work"; rmdir "$work"' EXIT
               mkdir "$work"/{upper,work,root,chroots}
               mount -t overlay overlay -o "lowerdir=$base,upperdir=$work/upper,workdir=$work/work" "$work/root"
               rm -rf "$work"/root/etc/apt/sources.list "$work"/root/etc/apt/sources.list.d/* "$work"/root/dev/*
               touch "$work/root/etc/apt/sources.list"
               judge() {
                 if unshare -n piuparts -d bookworm -e "$1/root" -t "$1/chroots" --keep-sources-list --no-eatmydata --no-adequate \
                     --no-upgrade-test --install-remove-install -i /var/lib/logrotate/status "$2" > "$1/${2##*/}.log" 2>&1
                 then echo "PASSED ${2##*/}"
                 else grep -A 20 -E '(ERROR|FAIL)' "$1/${2##*/}.log"; echo "FAILED ${2##*/}"
                 fi
               }
               export -f judge
               printf '%s\0' "$@" | xargs -0 -P 2 -I{} bash -c 'judge "$1" "$2"' judge "$work" {}"#,
            [&base],
        )
        .args(&debs),
    )?;
    let said = text(&result);
    let passed = said.lines().filter(|line| line.starts_with("PASSED ")).count();
    if result.status.success() && debs.len() >= 5 && passed == debs.len() { Ok(()) } else { Err(said.into()) }
}
