#!/bin/bash
# Runs in a root with the sample's rpms installed, without network: uses them.
set -euo pipefail
# Whether the output of a command has a line that matches; `| grep -q` would end the command before its time.
says() { local pattern=$1 output; shift; output=$("$@") && grep -q "$pattern" <<<"$output"; }
fail() { echo "FAILED: $*" >&2; exit 1; }
mount -t proc proc /proc
ip link set lo up 2>/dev/null || python3 -c '
import fcntl, socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fcntl.ioctl(s, 0x8914, struct.pack("16sh", b"lo", 0x1 | 0x40))'
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
# Every unit is one that systemd has nothing to say of, and every service is closed off well enough (3.0 of 10 at most).
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

says '"service":"acme-ctl"' acme-ctl || fail "acme-ctl"
says '"flask"' acme-api-admin || fail "acme-api-admin"
export HOME=/tmp
acme-api --config /etc/acme/acme-api.toml >/tmp/api.log 2>&1 & pids="$!"
acme-worker --port 8102 & pids="$pids $!"
acme-billing --port 8103 & pids="$pids $!"
acme-edge 127.0.0.1:8104 & pids="$pids $!"
says '"service": \?"acme-api"' answer 8101 || { cat /tmp/api.log; fail "acme-api does not answer"; }
says '"psycopg": "binary"' answer 8102 || fail "acme-worker does not answer"
says '"total": "13.00"' answer 8103 || fail "acme-billing does not answer"
says '"service":"acme-edge"' answer 8104 || fail "acme-edge does not answer"
kill $pids
echo PASSED
