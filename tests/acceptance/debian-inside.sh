#!/bin/bash
# Runs in a booted Debian without network: installs the sample from the signed repository, uses it, removes it.
# $1: the .sources file. Everything that differs from what a careful maintainer's packages do ends the script.
set -euo pipefail
sources=$1
packages="acme-api acme-billing acme-ctl acme-edge acme-edge-dbgsym acme-worker"
# Whether the output of a command has a line that matches; `| grep -q` would end the command before its time.
says() { local pattern=$1 output; shift; output=$("$@") && grep -q "$pattern" <<<"$output"; }
fail() { echo "FAILED: $*" >&2; exit 1; }
listing() { find / -xdev \( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /dev -o -path /var/lib/apt -o -path /var/lib/dpkg -o -path /var/cache -o -path /var/log -o -path /var/lib/systemd/timers \) -prune -o -print | LC_ALL=C sort; }
answer() {
  python3 - "$1" <<'PY'
import sys, time, urllib.request
for attempt in range(100):
    try:
        print(urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/", timeout=5).read().decode())
        break
    except OSError as error:
        last = error
        time.sleep(0.1)
else:
    raise SystemExit(f"port {sys.argv[1]}: {last}")
PY
}

rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*
cp "$sources" /etc/apt/sources.list.d/acme.sources
apt-get update 2>&1 | tee /tmp/update
grep -qE '^(W|E):' /tmp/update && fail "apt-get update complained"
[ "$(apt-cache pkgnames acme- | wc -l)" -eq 6 ] || fail "apt sees $(apt-cache pkgnames acme- | wc -l) packages"

listing > /tmp/before
DEBIAN_FRONTEND=noninteractive apt-get install -y $packages > /tmp/install 2>&1 || { cat /tmp/install; fail "apt-get install"; }
grep -iE 'warning|error' /tmp/install | grep -v 'debconf: ' && fail "the installation complained"

verify=$(dpkg --verify $packages) || true
[ -z "$verify" ] || fail "dpkg --verify: $verify"

says '"service":"acme-ctl"' acme-ctl || fail "acme-ctl"
says '"flask"' acme-api-admin || fail "acme-api-admin"
for service in acme-api acme-worker acme-billing acme-edge; do
  systemctl is-active --quiet $service || { systemctl status --no-pager $service || true; journalctl --no-pager -u $service | tail -20; fail "$service does not run"; }
  systemctl is-enabled --quiet $service || fail "$service is not enabled"
done

# Timers wait, templates have instances, what tmpfiles.d names is there, and what users' managers start is enabled.
systemctl is-active --quiet acme-worker-report.timer || fail "the timer does not wait"
systemctl start acme-worker@8105 || fail "an instance of the template does not start"
[ "$(stat -c '%U:%G %a' /run/acme-worker)" = "acme-worker:acme-worker 750" ] || fail "/run/acme-worker is $(stat -c '%U:%G %a' /run/acme-worker)"
[ "$(systemctl --global is-enabled acme-worker-hello.service)" = enabled ] || fail "the users' unit is not enabled"
for file in /etc/logrotate.d/acme-api /etc/acme/acme-api.toml; do
  says "^ $file " dpkg-query -W -f '${Conffiles}' acme-api || fail "$file is not a conffile"
done
[ -d /etc/acme/acme-api.d ] || fail "no directory /etc/acme/acme-api.d"

# Every unit is one that systemd has nothing to say of, and every service is closed off well enough (3.0 of 10 at most).
dpkg-query -L $packages | grep -E '^/usr/lib/systemd/(system|user)/[^/]+\.[a-z]+$' | LC_ALL=C sort -u > /tmp/units
[ "$(grep -c '\.service$' /tmp/units)" -ge 4 ] || fail "units: $(cat /tmp/units)"
while read -r unit; do
  manager=--system
  case "$unit" in */user/*) manager=--user ;; esac
  said=$(XDG_RUNTIME_DIR=/tmp systemd-analyze "$manager" verify "$unit" 2>&1) || fail "systemd-analyze verify $unit: $said"
  [ -z "$(grep -i acme <<<"$said")" ] || fail "systemd-analyze verify $unit: $said"
  case "$unit" in
    */system/*.service) systemd-analyze security --offline=true --threshold=30 "$unit" >/tmp/security 2>&1 || { tail -5 /tmp/security; fail "systemd-analyze security $unit"; } ;;
  esac
done < /tmp/units

# Every command has its manual page, and every package its papers.
for command in $(dpkg-query -L $packages | grep '^/usr/bin/.'); do
  says "^/usr/share/man/man[168]/${command##*/}\.[168]\.gz$" dpkg-query -L $packages || fail "no manual page of $command"
done
for package in acme-api acme-billing acme-ctl acme-edge acme-worker; do
  for file in copyright changelog.Debian.gz "$package.cdx.json"; do
    says "^/usr/share/doc/$package/$file\(\.gz\)\?$" dpkg-query -L "$package" || fail "$package has no $file"
  done
done
says '"service": \?"acme-api"' answer 8101 || fail "acme-api does not answer"
says '"psycopg": "binary"' answer 8102 || fail "acme-worker does not answer"
says '"psycopg": "binary"' answer 8105 || fail "an instance of acme-worker does not answer"
says '"total": "13.00"' answer 8103 || fail "acme-billing does not answer"
says '"service":"acme-edge"' answer 8104 || fail "acme-edge does not answer"

# The tree is used as it was shipped: nothing in it that no package owns, but the byte-code that a package's own postinst
# makes where no interpreter of that version was at hand when it was built.
for package in $packages; do
  [ -d "/usr/lib/acme/$package" ] || continue
  made='^$'
  grep -q compileall "/var/lib/dpkg/info/$package.postinst" 2>/dev/null && made='/__pycache__/'
  dpkg-query -L "$package" | LC_ALL=C sort > /tmp/owned
  unowned=$(find "/usr/lib/acme/$package" | LC_ALL=C sort | LC_ALL=C comm -23 - /tmp/owned | grep -vE "$made|/__pycache__$" || true)
  [ -z "$unowned" ] || fail "in no package: $unowned"
done

# The administrator's choice survives an upgrade: reinstalling is what an upgrade does to units.
systemctl disable --now acme-edge
apt-get install -y --reinstall acme-edge >/dev/null 2>&1
systemctl is-enabled --quiet acme-edge && fail "a disabled unit was enabled again"

echo '# changed here' >> /etc/acme/acme-api.toml
apt-get remove -y $packages > /tmp/remove 2>&1 || { cat /tmp/remove; fail "apt-get remove"; }
[ -e /etc/acme/acme-api.toml ] || fail "removing took a conffile"
apt-get purge -y $packages >> /tmp/remove 2>&1 || { cat /tmp/remove; fail "apt-get purge"; }
listing > /tmp/after
left=$(LC_ALL=C comm -13 /tmp/before /tmp/after | grep -vE '^/etc/(passwd|group|shadow|gshadow)-$|^/etc/\.pwd\.lock$|^/var/lib/(private|acme-)|^/root' || true)
[ -z "$left" ] || fail "left behind: $left"
echo PASSED
