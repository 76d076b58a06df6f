{%- if conffiles %}
{% for conffile in conffiles %}
dpkg-maintscript-helper rm_conffile {{ conffile.path | sh }} {{ conffile.before | sh }} -- "$@"
{%- endfor %}
{%- endif %}
{%- if remembers %}

if [ -z "${DPKG_ROOT:-}" ] && [ "$1" = "upgrade" ] && [ -d /run/systemd/system ]; then
{{ remember }}
{%- if stopped %}
	stop() {
		for unit in "$@"; do
			if [ ! -e {{ marks | sh }}/"$unit".left ]; then
				deb-systemd-invoke stop "$unit" >/dev/null || true
			fi
		done
	}
	stop {{ stopped | map("sh") | join(" ") }}
{%- endif %}
{%- if stopped_instances %}
	deb-systemd-invoke stop {{ stopped_instances | map("sh") | join(" ") }} >/dev/null || true
{%- endif %}
fi
{%- endif %}
