#!/usr/bin/python3
"""Runs in a booted root without network: takes the packages of the lifecycle repository through their life.

lifecycle-inside.py deb|rpm DIRECTORY PACKAGE…

Before each operation the administrator's choice is made that a package's name ends with; after it, what became of each
service is written to standard output, one JSON object per package. What is expected is not known here.
"""

import json
import os
import pwd
import subprocess
import sys
from datetime import datetime, timezone

FORMAT, DIRECTORY, *PACKAGES = sys.argv[1:]
OLD, NEW = "1.0.0", "1.1.0"
CHANGE = "# changed here\n"
PROPERTIES = "Id,ActiveState,MainPID,InactiveEnterTimestamp,ExecMainStartTimestamp"
# What the package managers and systemd write for themselves.
NOT_LISTED = (
    "/proc /sys /run /tmp /dev /root /var/lib/apt /var/lib/dpkg /var/lib/rpm /var/lib/dnf /var/cache /var/log /var/tmp "
    "/var/lib/systemd/timers /usr/share/mime /etc/passwd- /etc/group- /etc/shadow- /etc/gshadow- /etc/.pwd.lock"
).split()


def run(*command, check=True):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True)
    if check and done.returncode:
        sys.exit(f"FAILED: {' '.join(command)} ended with {done.returncode}\n{done.stdout}")
    return done.stdout


def files(version):
    suffix = "_amd64.deb" if FORMAT == "deb" else ".x86_64.rpm"
    between = "_" if FORMAT == "deb" else "-"
    there = os.listdir(DIRECTORY)
    found = [name for package in PACKAGES for name in there if name.startswith(f"{package}{between}{version}-") and name.endswith(suffix)]
    if len(found) != len(PACKAGES):
        sys.exit(f"FAILED: {len(found)} packages of version {version} for {len(PACKAGES)} services: {found}")
    return [os.path.join(DIRECTORY, name) for name in found]


def units():
    return [f"{package}.service" for package in PACKAGES]


def time(text):
    """A timestamp of `systemctl show --timestamp=us+utc`, in nanoseconds."""
    if not text or text == "n/a":
        return 0
    moment = datetime.strptime(text, "%a %Y-%m-%d %H:%M:%S.%f %Z").replace(tzinfo=timezone.utc)
    return round(moment.timestamp() * 1_000_000) * 1000


def show():
    """The services as systemd sees them, by package."""
    blocks = run("systemctl", "show", "--timestamp=us+utc", f"--property={PROPERTIES}", *units()).strip().split("\n\n")
    properties = [dict(line.split("=", 1) for line in block.splitlines()) for block in blocks]
    return {entry["Id"].removesuffix(".service"): entry for entry in properties}


def enabled(package):
    """`is-enabled`, with one word for a unit that is not there, which systemd 252 and 257 say differently."""
    word = run("systemctl", "is-enabled", f"{package}.service", check=False).strip().splitlines()[-1]
    return "absent" if word == "not-found" or "No such file" in word else word


def administer():
    """What the administrator chose, by the last word of the package's name."""
    chosen = {}
    for package in PACKAGES:
        chosen.setdefault(package.rsplit("-", 1)[1], []).append(f"{package}.service")
    everything = [unit for units in chosen.values() for unit in units if unit not in chosen.get("masked", [])]
    run("systemctl", "enable", "--now", *everything)
    run("systemctl", "disable", "--now", *chosen["disabled"])
    run("systemctl", "mask", "--now", *chosen["masked"])
    run("systemctl", "stop", *chosen["stopped"])
    run("systemctl", "disable", *chosen["running"])


def conffile(package, name):
    try:
        with open(f"/etc/acme/{name}") as file:
            return "changed" if CHANGE in file.read() else "shipped"
    except FileNotFoundError:
        return "absent"


def times(package, after):
    """When the service stopped, its files were replaced, and it started; for who has to find out why."""
    try:
        replaced = os.stat(f"/usr/lib/acme/{package}/bin/{package}").st_ctime_ns
    except FileNotFoundError:
        replaced = 0
    moments = time(after["InactiveEnterTimestamp"]), replaced, time(after["ExecMainStartTimestamp"])
    return ", ".join(f"{moment / 1e9:.3f}" for moment in moments)


def fate(package, before, after):
    """What became of the process: systemd's times against those at which the package's files were replaced."""
    old, new = before["MainPID"], after["MainPID"]
    if after["ActiveState"] not in ("active", "inactive"):
        return after["ActiveState"]
    if old == "0":
        return "started" if new != "0" else "not running"
    if new == "0":
        return "stopped"
    if old == new:
        return "kept"
    replaced = os.stat(f"/usr/lib/acme/{package}/bin/{package}").st_ctime_ns
    if time(after["ExecMainStartTimestamp"]) < replaced:
        return "restarted before the files came"
    return "stopped before, started after" if time(after["InactiveEnterTimestamp"]) < replaced else "restarted after"


def version(package, entry):
    """The version that the running process wrote into its state directory."""
    if entry["MainPID"] == "0":
        return "-"
    with open(f"/var/lib/{package}/version") as file:
        return file.read()


def known(user):
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def observe(operation, before):
    after = show()
    for package in PACKAGES:
        seen = {
            "operation": operation,
            "package": package,
            "enabled": enabled(package),
            "process": fate(package, before[package], after[package]),
            "times": times(package, after[package]),
            "version": version(package, after[package]),
            "conffile": conffile(package, f"{package}.toml"),
            "dropped": conffile(package, f"{package}-old.toml"),
            "state": "there" if os.path.isdir(f"/var/lib/{package}") else "absent",
            "user": "there" if known(package) else "absent",
        }
        print(json.dumps(seen), flush=True)


def listing():
    found = set()
    for directory, directories, names in os.walk("/"):
        directories[:] = [name for name in directories if os.path.join(directory, name) not in NOT_LISTED]
        found.update(os.path.join(directory, name) for name in directories + names)
    return found - set(NOT_LISTED)


def operate(operation, *command):
    before = show()
    output = run(*command)
    lines = [line for line in output.splitlines() if any(word in line.lower() for word in ("warning", "error", "failed"))]
    # debconf has no terminal, apt's own user may not read this directory, and a downgrade is a warning in itself.
    expected = ("debconf", "unsandboxed", "dpkg: warning: downgrading", "warning: /etc/acme/")
    lines = [line for line in lines if not any(word in line for word in expected)]
    if lines:
        sys.exit(f"FAILED: {operation} complained:\n" + "\n".join(lines))
    observe(operation, before)


APT = ["apt-get", "-y", "-q", "--allow-downgrades", "-o", "Dpkg::Options::=--force-confold"]
DNF = ["dnf", "-y", "-q", "--disablerepo=*", "--setopt=install_weak_deps=0", "--nogpgcheck"]


def failed_units():
    """What failed; a bare root may boot with a failure of its own."""
    return {line.split()[0] for line in run("systemctl", "--failed", "--plain", "--no-legend").splitlines()}


def life():
    deb = FORMAT == "deb"

    def install(version):
        return [*APT, "install", *files(version)] if deb else [*DNF, "install", *files(version)]

    at_first, failed_at_first = listing(), failed_units()
    operate("install", *install(OLD))
    for package in PACKAGES:
        with open(f"/etc/acme/{package}.toml", "a") as file:
            file.write(CHANGE)
    administer()
    operate("upgrade", *install(NEW))
    administer()
    operate("reinstall", *([*APT, "--reinstall", "install", *files(NEW)] if deb else [*DNF, "reinstall", *files(NEW)]))
    administer()
    operate("downgrade", *(install(OLD) if deb else [*DNF, "downgrade", *files(OLD)]))
    administer()
    operate("remove", *([*APT, "remove"] if deb else [*DNF, "remove"]), *PACKAGES)
    operate("install again", *install(OLD))
    administer()
    operate("purge", *([*APT, "purge"] if deb else [*DNF, "remove"]), *PACKAGES)
    for path in sorted(listing() - at_first):
        print(json.dumps({"left": path}))
    print(json.dumps({"failed": " ".join(sorted(failed_units() - failed_at_first))}))


life()
print(json.dumps({"end": True}))
