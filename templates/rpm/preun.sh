{%- if startable or instances %}
if [ "$1" -eq 0 ]; then
{%- if startable %}
  if [ -x /usr/lib/systemd/systemd-update-helper ]; then
    /usr/lib/systemd/systemd-update-helper remove-system-units {{ startable | map("sh") | join(" ") }} || :
  elif [ -d /run/systemd/system ]; then
    systemctl --no-reload disable --now {{ startable | map("sh") | join(" ") }} >/dev/null 2>&1 || :
  elif [ -x /usr/bin/systemctl ]; then
    systemctl --no-reload disable {{ startable | map("sh") | join(" ") }} >/dev/null 2>&1 || :
  fi
{%- endif %}
{%- if instances %}
  # Of templates: every instance.
  systemctl --no-reload disable {{ templates | map("sh") | join(" ") }} >/dev/null 2>&1 || :
  if [ -d /run/systemd/system ]; then
    systemctl stop {{ instances | map("sh") | join(" ") }} >/dev/null 2>&1 || :
  fi
{%- endif %}
fi
{%- endif %}
{%- if user_startable %}
if [ "$1" -eq 0 ]; then
  if [ -x /usr/lib/systemd/systemd-update-helper ]; then
    /usr/lib/systemd/systemd-update-helper remove-user-units {{ user_startable | map("sh") | join(" ") }} || :
  elif [ -x /usr/bin/systemctl ]; then
    systemctl --global disable {{ user_startable | map("sh") | join(" ") }} >/dev/null 2>&1 || :
  fi
fi
{%- endif %}
{%- if compile %}
# Byte-code that was made on this machine is in no package's list of files. At an upgrade the new version's files are
# already there, byte-code among them perhaps: that is left to the scriptlets that follow.
if [ "$1" -eq 0 ] && [ -d {{ compile | sh }} ]; then
  find {{ compile | sh }} -type d -name __pycache__ -prune -exec rm -rf {} + || :
fi
{%- endif %}
