{%- if restarted %}
if [ "$1" -ge 1 ]; then
  if [ -x /usr/lib/systemd/systemd-update-helper ]; then
    /usr/lib/systemd/systemd-update-helper mark-restart-system-units {{ restarted | map("sh") | join(" ") }} || :
  elif [ -d /run/systemd/system ]; then
    systemctl daemon-reload >/dev/null 2>&1 || :
    systemctl try-restart {{ restarted | map("sh") | join(" ") }} >/dev/null 2>&1 || :
  fi
fi
{%- endif %}
{%- if restarted_instances %}
if [ "$1" -ge 1 ] && [ -d /run/systemd/system ]; then
  systemctl daemon-reload >/dev/null 2>&1 || :
  systemctl try-restart {{ restarted_instances | map("sh") | join(" ") }} >/dev/null 2>&1 || :
fi
{%- endif %}
{%- if timers %}
if [ "$1" -eq 0 ]; then
  # When the timers went off last.
{%- for timer in timers %}
  [ ! -e /var/lib/systemd/timers/stamp-{{ timer | sh }} ] || unlink /var/lib/systemd/timers/stamp-{{ timer | sh }} || :
{%- endfor %}
fi
{%- endif %}
{%- if compile %}
# After an upgrade, byte-code that was made here for what the new version has no more.
if [ "$1" -ge 1 ] && [ -d {{ compile | sh }} ]; then
  find {{ compile | sh }} -type f -path '*/__pycache__/*.pyc' | while IFS= read -r code; do
    name=${code##*/}
    if [ ! -e "${code%/__pycache__/*}/${name%.cpython-*}.py" ]; then
      unlink "$code" || :
      rmdir -p --ignore-fail-on-non-empty "${code%/*}" || :
    fi
  done
fi
{%- endif %}
