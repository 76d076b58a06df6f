{%- if running and restart == "after-upgrade" %}
if [ "$1" -ge 1 ]; then
  if [ -x /usr/lib/systemd/systemd-update-helper ]; then
    /usr/lib/systemd/systemd-update-helper mark-restart-system-units {{ running | map("sh") | join(" ") }} || :
  elif [ -d /run/systemd/system ]; then
    systemctl try-restart {{ running | map("sh") | join(" ") }} >/dev/null 2>&1 || :
  fi
fi
{%- endif %}
exit 0
