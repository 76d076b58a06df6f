#!/bin/bash
# Boots a throw-away copy of a root with systemd and without network, and runs a command in it.
# boot.sh ROOT [--bind DIRECTORY]… [--file FILE]… -- COMMAND…: directories are seen read-only at their own paths, files lie
# in /root. The status is the command's; on failure to boot the console's output is shown.
set -euo pipefail
base=$1
shift
binds=()
files=()
while [ "$1" != -- ]; do
  case "$1" in
    --bind) binds+=("--bind-ro=$2") ;;
    --file) files+=("$2") ;;
    *) echo "boot.sh: $1?" >&2; exit 2 ;;
  esac
  shift 2
done
shift

work=$(mktemp -d)
mount -t tmpfs none "$work"
mkdir "$work"/{upper,work,root}
leader=
clean() {
  [ -z "$leader" ] || nsenter -t "$leader" -a systemctl poweroff --force --force >/dev/null 2>&1 || true
  wait 2>/dev/null || true
  umount -R "$work/root" 2>/dev/null || true
  umount -l "$work"
  rmdir "$work"
}
trap clean EXIT
mount -t overlay overlay -o "lowerdir=$base,upperdir=$work/upper,workdir=$work/work" "$work/root"
[ ${#files[@]} -eq 0 ] || cp "${files[@]}" "$work/root/root/"

systemd-nspawn -q --register=no --keep-unit --private-network --console=pipe --machine="acceptance-$$" "${binds[@]}" -D "$work/root" -b >"$work/boot.log" 2>&1 &
nspawn=$!
state=
for _ in $(seq 600); do
  leader=$(pgrep -P "$nspawn" | head -1) || true
  state=$([ -n "$leader" ] && nsenter -t "$leader" -a systemctl is-system-running 2>/dev/null) || true
  case "$state" in running | degraded) break ;; esac
  sleep 0.1
done
case "$state" in
  running | degraded) ;;
  *)
    cat "$work/boot.log"
    echo "FAILED: no system (${state:-no process})"
    exit 1
    ;;
esac
# nspawn's own console answers nothing; the command speaks for itself.
nsenter -t "$leader" -a env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
