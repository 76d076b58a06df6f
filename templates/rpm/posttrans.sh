{%- if compile %}
find {{ compile | sh }} -type d -name __pycache__ -prune -exec rm -rf {} + || :
# No interpreter of this version was at hand when the package was built.
{{ python | sh }} -I -m compileall -q --invalidation-mode unchecked-hash {{ compile | sh }} >/dev/null 2>&1 || :
{%- endif %}
{%- if restart == "stop-start" and running %}
if [ -d {{ marks | sh }} ]; then
  for mark in {{ marks | sh }}/*; do
    [ -e "$mark" ] || continue
    systemctl start "${mark##*/}" >/dev/null 2>&1 || :
  done
  find {{ marks | sh }} -delete || :
fi
{%- endif %}
exit 0
