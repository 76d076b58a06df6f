//! What maintainer scripts do: they are run as dpkg would run them, with programs that only note how they were called.
//!
//! The notes are compared as sets per step, one line for each unit: whether two units are started by one call or by two, and
//! how often the manager reloads, is the same to a system.

use std::collections::BTreeSet;
use std::path::Path;

use super::compare::Difference;
use crate::Result;
use crate::process::{run, shell};

/// The life of a package, as dpkg tells it to the scripts (Debian Policy 6.5 to 6.8).
const STEPS: [(&str, &str, &[&str]); 15] = [
    ("install", "preinst", &["install"]),
    ("install", "postinst", &["configure", ""]),
    ("upgrade", "prerm", &["upgrade", "99"]),
    ("upgrade", "preinst", &["upgrade", "1"]),
    ("upgrade", "postrm", &["upgrade", "99"]),
    ("upgrade", "postinst", &["configure", "1"]),
    ("failed upgrade", "prerm", &["upgrade", "99"]),
    ("failed upgrade", "preinst", &["upgrade", "1"]),
    ("failed upgrade", "postrm", &["abort-upgrade", "1"]),
    ("failed upgrade", "postinst", &["abort-upgrade", "99"]),
    ("failed removal", "prerm", &["remove"]),
    ("failed removal", "postinst", &["abort-remove"]),
    ("remove", "prerm", &["remove"]),
    ("remove", "postrm", &["remove"]),
    ("purge", "postrm", &["purge"]),
];

/// What scripts call and a test must not.
const NOTED: &str = "deb-systemd-helper deb-systemd-invoke systemctl systemd-sysusers systemd-tmpfiles adduser addgroup useradd \
                     groupadd deluser usermod setcap chown chgrp chmod update-rc.d invoke-rc.d ldconfig db_get su runuser";

/// Runs both packages' scripts through every step.
pub(super) fn compare(directory: &Path, ours: &Path, theirs: &Path) -> Result<Vec<Difference>> {
    let (ours, theirs) = (effects(directory, ours)?, effects(directory, theirs)?);
    let mut differences = Vec::new();
    for (our, their) in ours.iter().zip(&theirs) {
        let only = |one: &BTreeSet<String>, other: &BTreeSet<String>| -> String {
            let lines: Vec<&str> = one.difference(other).map(String::as_str).collect();
            if lines.is_empty() { "-".to_owned() } else { lines.join("; ") }
        };
        if our.1 != their.1 {
            let (ours, theirs) = (only(&our.1, &their.1), only(&their.1, &our.1));
            differences.push(Difference { what: format!("effect on {}", our.0), ours, theirs });
        }
    }
    Ok(differences)
}

/// For each step what was called, in steps of one name together.
fn effects(directory: &Path, package: &Path) -> Result<Vec<(&'static str, BTreeSet<String>)>> {
    let place = directory.join("effects");
    // What one script leaves below /run, the next one finds.
    if place.exists() {
        fs_err::remove_dir_all(&place)?;
    }
    let mut all: Vec<(&'static str, BTreeSet<String>)> = Vec::new();
    for (step, script, arguments) in STEPS {
        let mut words = vec![place.as_os_str(), package.as_os_str(), NOTED.as_ref(), script.as_ref()];
        words.extend(arguments.iter().map(|argument| std::ffi::OsStr::new(*argument)));
        let notes = run(&mut shell(RUN, words))?;
        let lines = notes.lines().flat_map(single).collect::<Vec<_>>();
        match all.last_mut() {
            Some((last, noted)) if *last == step => noted.extend(lines),
            _ => all.push((step, lines.into_iter().collect())),
        }
    }
    Ok(all)
}

/// A call as one line per unit, without options that change only what is printed. To ask is no effect.
fn single(line: &str) -> Vec<String> {
    if line.contains(" is-active ") || line.contains(" is-enabled ") {
        return Vec::new();
    }
    let words: Vec<&str> =
        line.split_whitespace().filter(|word| !["--quiet", "--system", "--no-reload"].contains(word)).collect();
    let [program, action, units @ ..] = words.as_slice() else { return vec![line.trim().to_owned()] };
    let is_units = |word: &&str| {
        [".service", ".socket", ".timer", ".path", ".target", ".mount"].iter().any(|end| word.ends_with(end))
    };
    if units.is_empty() || !units.iter().all(is_units) {
        return vec![words.join(" ")];
    }
    units.iter().map(|unit| format!("{program} {action} {unit}")).collect()
}

/// In a root of its own that shows the machine read-only, with a /run where systemd runs.
const RUN: &str = r#"
place=$1 package=$2 noted=$3 script=$4
shift 4
rm -rf "$place/control" "$place/bin"; mkdir -p "$place/control" "$place/bin" "$place/run/systemd/system"
dpkg-deb -e "$package" "$place/control"
[ -f "$place/control/$script" ] || exit 0
for name in $noted; do
    printf '#!/bin/sh\nprintf "%%s" "%s" >> "$NOTES"\nfor word; do printf " %%s" "$word" >> "$NOTES"; done\necho >> "$NOTES"\nexit 0\n' "$name" > "$place/bin/$name"
done
# All units run and are enabled.
cat >> "$place/bin/systemctl.answers" <<'EOS'
case " $* " in *" is-active "*) echo active ;; *" is-enabled "*) echo enabled ;; esac
EOS
sed -i '$d' "$place/bin/systemctl"; cat "$place/bin/systemctl.answers" >> "$place/bin/systemctl"; rm "$place/bin/systemctl.answers"
chmod 0755 "$place"/bin/* "$place/control/$script"
: > "$place/notes"
unshare -m bash -euc '
    mount --make-rprivate /
    mount --bind "$1/run" /run
    # What looks for these by their paths finds them.
    for name in deb-systemd-helper deb-systemd-invoke; do
        if [ -e "/usr/bin/$name" ]; then mount --bind "$1/bin/$name" "/usr/bin/$name"; fi
    done
    place=$1 script=$2
    shift 2
    for directory in /etc /var /home /opt; do mount -t tmpfs none "$directory" 2>/dev/null || true; done
    mkdir -p /var/lib /etc
    mount --bind "$place" "$place"
    mount -o remount,bind,ro /
    cd /
    NOTES=$place/notes PATH=$place/bin:$PATH DPKG_MAINTSCRIPT_NAME=$script DPKG_MAINTSCRIPT_PACKAGE=x "$place/control/$script" "$@" \
        </dev/null >"$place/out" 2>&1 || echo "the script fails" >> "$place/notes"
' inside "$place" "$script" "$@"
cat "$place/notes"
"#;
