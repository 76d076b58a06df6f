{%- if sysusers_text -%}
systemd-sysusers --replace=/usr/lib/sysusers.d/{{ sysusers }} - <<'SYSUSERS' >/dev/null 2>&1 || :
{{ sysusers_text }}
SYSUSERS
{%- endif %}
{%- if restart == "stop-start" and running %}
if [ "$1" -gt 1 ] && [ -d /run/systemd/system ]; then
  # What was running is remembered, stopped, and started again when the transaction ends.
  mkdir -p {{ marks | sh }}
  for unit in {{ running | map("sh") | join(" ") }}; do
    if systemctl is-active --quiet "$unit"; then
      : > {{ marks | sh }}/"$unit"
      systemctl stop "$unit" >/dev/null 2>&1 || :
    fi
  done
fi
{%- endif %}
exit 0
