{%- if tmpfiles %}
if command -v systemd-tmpfiles >/dev/null; then
  systemd-tmpfiles --create {{ tmpfiles | map("sh") | join(" ") }} >/dev/null 2>&1 || :
fi
{%- endif %}
{%- if enable %}
if [ "$1" -eq 1 ]; then
  if [ -x /usr/lib/systemd/systemd-update-helper ]; then
    /usr/lib/systemd/systemd-update-helper install-system-units {{ enable | map("sh") | join(" ") }} || :
  elif [ -x /usr/bin/systemctl ]; then
    systemctl --no-reload preset {{ enable | map("sh") | join(" ") }} >/dev/null 2>&1 || :
  fi
else
  preset_new() {
    for unit in "$@"; do
      if [ -e {{ marks | sh }}/"$unit".new ]; then
        systemctl --no-reload preset "$unit" >/dev/null 2>&1 || :
        unlink {{ marks | sh }}/"$unit".new || :
      fi
    done
  }
  preset_new {{ enable | map("sh") | join(" ") }}
fi
{%- endif %}
{%- if user_enable %}
if [ "$1" -eq 1 ]; then
  if [ -x /usr/lib/systemd/systemd-update-helper ]; then
    /usr/lib/systemd/systemd-update-helper install-user-units {{ user_enable | map("sh") | join(" ") }} || :
  elif [ -x /usr/bin/systemctl ]; then
    systemctl --no-reload preset --global {{ user_enable | map("sh") | join(" ") }} >/dev/null 2>&1 || :
  fi
fi
{%- endif %}
{%- if started %}
if [ "$1" -eq 1 ] && [ -d /run/systemd/system ]; then
  systemctl daemon-reload >/dev/null 2>&1 || :
  systemctl start {{ started | map("sh") | join(" ") }} >/dev/null 2>&1 || :
fi
{%- endif %}
