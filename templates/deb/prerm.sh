{%- if startable or instances %}

if [ -z "${DPKG_ROOT:-}" ] && [ "$1" = "remove" ] && [ -d /run/systemd/system ]; then
{%- if remembers %}
{{ remember }}
{%- endif %}
	deb-systemd-invoke stop {{ (startable + instances) | map("sh") | join(" ") }} >/dev/null || true
fi
{%- endif %}
{%- if user_startable %}

if [ -z "${DPKG_ROOT:-}" ] && [ "$1" = "remove" ] && [ -d /run/systemd/system ]; then
	deb-systemd-invoke --user stop {{ user_startable | map("sh") | join(" ") }} >/dev/null || true
fi
{%- endif %}
{%- if conffiles %}
{% for conffile in conffiles %}
dpkg-maintscript-helper rm_conffile {{ conffile.path | sh }} {{ conffile.before | sh }} -- "$@"
{%- endfor %}
{%- endif %}
{%- if compile %}

# Byte-code that was made on this machine is in no package's list of files.
if [ -d "${DPKG_ROOT:-}"{{ compile | sh }} ]; then
	find "${DPKG_ROOT:-}"{{ compile | sh }} -type d -name __pycache__ -prune -exec rm -rf {} +
fi
{%- endif %}
