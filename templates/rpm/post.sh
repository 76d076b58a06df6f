{%- if enable %}
if [ "$1" -eq 1 ]; then
  if [ -x /usr/lib/systemd/systemd-update-helper ]; then
    /usr/lib/systemd/systemd-update-helper install-system-units {{ enable | map("sh") | join(" ") }} || :
  elif [ -x /usr/bin/systemctl ]; then
    systemctl --no-reload preset {{ enable | map("sh") | join(" ") }} >/dev/null 2>&1 || :
  fi
fi
{%- endif %}
{%- if start and running %}
if [ "$1" -eq 1 ] && [ -d /run/systemd/system ]; then
  systemctl daemon-reload >/dev/null 2>&1 || :
  systemctl start {{ (enable or running) | map("sh") | join(" ") }} >/dev/null 2>&1 || :
fi
{%- endif %}
exit 0
