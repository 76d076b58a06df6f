{%- if compile %}
find {{ compile | sh }} -type d -name __pycache__ -prune -exec rm -rf {} + || :
# No interpreter of this version was at hand when the package was built.
{{ python | sh }} -I -m compileall -q --invalidation-mode unchecked-hash {{ compile | sh }} >/dev/null 2>&1 || :
{%- endif %}
{%- if stopped or stopped_instances %}
if [ -d {{ marks | sh }} ]; then
  # The unit files are new, and systemd's own trigger comes after this scriptlet.
  systemctl daemon-reload >/dev/null 2>&1 || :
{%- if stopped %}
  resume() {
    for unit in "$@"; do
      [ ! -e {{ marks | sh }}/"$unit".running ] || systemctl start "$unit" >/dev/null 2>&1 || :
    done
  }
  # Sockets first: one whose service runs already cannot be started.
  resume {{ stopped | map("sh") | join(" ") }}
{%- endif %}
{%- if stopped_instances %}
  for mark in {{ marks | sh }}/*@*.running; do
    [ -e "$mark" ] || continue
    unit=${mark##*/}
    systemctl start "${unit%.running}" >/dev/null 2>&1 || :
  done
{%- endif %}
fi
{%- endif %}
{%- if stopped or stopped_instances or enable %}
[ ! -d {{ marks | sh }} ] || find {{ marks | sh }} -delete || :
{%- endif %}
