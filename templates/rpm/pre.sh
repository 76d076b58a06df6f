{%- if sysusers_text -%}
systemd-sysusers --replace=/usr/lib/sysusers.d/{{ sysusers_name }} - <<'SYSUSERS' >/dev/null 2>&1 || :
{{ sysusers_text }}
SYSUSERS
{%- endif %}
{%- if suse and (enable or user_enable) %}
if [ "$1" -eq 1 ] && [ -x /usr/lib/systemd/systemd-update-helper ]; then
  # SUSE's helper gives presets to what was marked before; others know no marks and need none.
{%- if enable %}
  /usr/lib/systemd/systemd-update-helper mark-install-system-units {{ enable | map("sh") | join(" ") }} >/dev/null 2>&1 || :
{%- endif %}
{%- if user_enable %}
  /usr/lib/systemd/systemd-update-helper mark-install-user-units {{ user_enable | map("sh") | join(" ") }} >/dev/null 2>&1 || :
{%- endif %}
fi
{%- endif %}
{%- if enable %}
if [ "$1" -gt 1 ]; then
  # A unit that the installed version does not have gets its preset like one of a first installation.
  new() {
    for unit in "$@"; do
      if [ ! -e /usr/lib/systemd/system/"$unit" ]; then
        : > {{ marks | sh }}/"$unit".new || :
      fi
    done
  }
  mkdir -p {{ marks | sh }} || :
  new {{ enable | map("sh") | join(" ") }}
fi
{%- endif %}
{%- if stopped or stopped_instances %}
if [ "$1" -gt 1 ] && [ -d /run/systemd/system ]; then
  # What runs is remembered, stopped, and started again when the transaction ends; what is masked could not be started.
  pause() {
    for unit in "$@"; do
      enabled=$(systemctl is-enabled "$unit" 2>/dev/null || :)
      active=$(systemctl is-active "$unit" 2>/dev/null || :)
      case "$enabled/$active" in
        masked*/*) ;;
        */active | */activating | */reloading | */refreshing)
          : > {{ marks | sh }}/"$unit".running || :
          systemctl stop "$unit" >/dev/null 2>&1 || :
          ;;
      esac
    done
  }
  mkdir -p {{ marks | sh }} || :
{%- if stopped %}
  pause {{ stopped | map("sh") | join(" ") }}
{%- endif %}
{%- if stopped_instances %}
  systemctl list-units --plain --no-legend --state=active {{ stopped_instances | map("sh") | join(" ") }} 2>/dev/null | while read -r unit _; do
    pause "$unit"
  done
{%- endif %}
fi
{%- endif %}
