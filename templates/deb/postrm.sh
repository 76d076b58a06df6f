{%- if startable or instances %}

if [ "$1" = "remove" ] && [ -z "${DPKG_ROOT:-}" ] && [ -d /run/systemd/system ]; then
	systemctl --system daemon-reload >/dev/null || true
{%- if remembers %}
	rm -rf {{ marks | sh }}
{%- endif %}
fi
{%- endif %}
{%- if enable or leave_disabled or timers %}

if [ "$1" = "purge" ]; then
{%- if enable or leave_disabled %}
	if command -v deb-systemd-helper >/dev/null; then
		deb-systemd-helper purge {{ (enable + leave_disabled) | map("sh") | join(" ") }} >/dev/null || true
	fi
{%- endif %}
{%- for timer in timers %}
	# When the timer went off last.
	rm -f "${DPKG_ROOT:-}"/var/lib/systemd/timers/stamp-{{ timer | sh }}
{%- endfor %}
fi
{%- endif %}
{%- if user_enable or user_leave_disabled %}

if [ "$1" = "purge" ] && [ -z "${DPKG_ROOT:-}" ] && command -v deb-systemd-helper >/dev/null; then
	deb-systemd-helper --user purge {{ (user_enable + user_leave_disabled) | map("sh") | join(" ") }} >/dev/null || true
fi
{%- endif %}
{%- if conffiles %}
{% for conffile in conffiles %}
dpkg-maintscript-helper rm_conffile {{ conffile.path | sh }} {{ conffile.before | sh }} -- "$@"
{%- endfor %}
{%- endif %}
{%- if ghosts %}

if [ "$1" = "purge" ]; then
	# Made at run time: these, and nothing that anybody else put beside them.
{%- for ghost in ghosts %}
	if [ -d "${DPKG_ROOT:-}"{{ ghost | sh }} ] && [ ! -L "${DPKG_ROOT:-}"{{ ghost | sh }} ]; then
		rmdir --ignore-fail-on-non-empty "${DPKG_ROOT:-}"{{ ghost | sh }} || true
	else
		rm -f "${DPKG_ROOT:-}"{{ ghost | sh }}
	fi
{%- endfor %}
fi
{%- endif %}
{%- if data %}

if [ "$1" = "purge" ]; then
	# State, cache and logs that systemd made for the services.
{%- for directory in data %}
	rm -rf "${DPKG_ROOT:-}"{{ directory | sh }}
{%- endfor %}
fi
{%- endif %}
