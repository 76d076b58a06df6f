{%- if configures %}

if [ "$1" = "configure" ] || [ "$1" = "abort-upgrade" ] || [ "$1" = "abort-deconfigure" ] || [ "$1" = "abort-remove" ]; then
{%- if sysusers %}
	systemd-sysusers ${DPKG_ROOT:+--root="$DPKG_ROOT"} {{ sysusers | map("sh") | join(" ") }}
{%- endif %}
{%- for entry in ownership %}
{%- if entry.owner %}
	# An override of the administrator goes first.
	if ! dpkg-statoverride --list {{ entry.pattern | sh }} >/dev/null 2>&1 && [ ! -L "${DPKG_ROOT:-}"{{ entry.path | sh }} ]; then
		chown -h {{ entry.owner | sh }} "${DPKG_ROOT:-}"{{ entry.path | sh }}
		chmod {{ entry.mode | sh }} "${DPKG_ROOT:-}"{{ entry.path | sh }}
	fi
{%- endif %}
{%- if entry.capabilities %}
	setcap {{ entry.capabilities | sh }} "${DPKG_ROOT:-}"{{ entry.path | sh }}
{%- endif %}
{%- endfor %}
{%- if tmpfiles %}
	if [ -x "$(command -v systemd-tmpfiles)" ]; then
		systemd-tmpfiles ${DPKG_ROOT:+--root="$DPKG_ROOT"} --create {{ tmpfiles | map("sh") | join(" ") }} >/dev/null || true
	fi
{%- endif %}
{%- for unit in user_enable %}
	if [ -z "${DPKG_ROOT:-}" ]; then
		deb-systemd-helper --user unmask {{ unit | sh }} >/dev/null || true
		if deb-systemd-helper --quiet --user was-enabled {{ unit | sh }}; then
			deb-systemd-helper --user enable {{ unit | sh }} >/dev/null || true
		else
			deb-systemd-helper --user update-state {{ unit | sh }} >/dev/null || true
		fi
	fi
{%- endfor %}
{%- for unit in user_leave_disabled %}
	if [ -z "${DPKG_ROOT:-}" ]; then
		if deb-systemd-helper --user debian-installed {{ unit | sh }}; then
			deb-systemd-helper --user unmask {{ unit | sh }} >/dev/null || true
			if deb-systemd-helper --quiet --user was-enabled {{ unit | sh }}; then
				deb-systemd-helper --user enable {{ unit | sh }} >/dev/null || true
			fi
		fi
		deb-systemd-helper --user update-state {{ unit | sh }} >/dev/null || true
	fi
{%- endfor %}
{%- if compile %}
	# No interpreter of this version was at hand when the package was built.
	find "${DPKG_ROOT:-}"{{ compile | sh }} -type d -name __pycache__ -prune -exec rm -rf {} +
	{{ python_name | sh }} -I -m compileall -q --invalidation-mode unchecked-hash "${DPKG_ROOT:-}"{{ compile | sh }} || true
{%- endif %}
fi
{%- endif %}
{%- if conffiles %}
{% for conffile in conffiles %}
dpkg-maintscript-helper rm_conffile {{ conffile.path | sh }} {{ conffile.before | sh }} -- "$@"
{%- endfor %}
{%- endif %}
{%- if startable or enable or leave_disabled or instances %}

if [ "$1" = "configure" ] || [ "$1" = "abort-upgrade" ] || [ "$1" = "abort-deconfigure" ] || [ "$1" = "abort-remove" ]; then
{%- for unit in enable %}
	deb-systemd-helper unmask {{ unit | sh }} >/dev/null || true
	# was-enabled is true on a first installation.
	if deb-systemd-helper --quiet was-enabled {{ unit | sh }}; then
		deb-systemd-helper enable {{ unit | sh }} >/dev/null || true
	else
		deb-systemd-helper update-state {{ unit | sh }} >/dev/null || true
	fi
{%- endfor %}
{%- for unit in leave_disabled %}
	if deb-systemd-helper debian-installed {{ unit | sh }}; then
		deb-systemd-helper unmask {{ unit | sh }} >/dev/null || true
		if deb-systemd-helper --quiet was-enabled {{ unit | sh }}; then
			deb-systemd-helper enable {{ unit | sh }} >/dev/null || true
		fi
	fi
	deb-systemd-helper update-state {{ unit | sh }} >/dev/null || true
{%- endfor %}
	if [ -z "${DPKG_ROOT:-}" ] && [ -d /run/systemd/system ]; then
		systemctl --system daemon-reload >/dev/null || true
{%- if remembers %}
		# After abort-*, only what these scripts stopped is started again.
		if [ "$1" = "configure" ] || [ -d {{ marks | sh }} ]; then
{%- for group in groups if group.remembers %}
{%- if group.managed %}
			resume() {
				for unit in "$@"; do
					if [ -e {{ marks | sh }}/"$unit".left ]; then
						continue
{%- if group.restart == "stop-start" %}
					elif [ -e {{ marks | sh }}/"$unit".running ]; then
						# It ran although it may be disabled, which deb-systemd-invoke would not start.
						if ! systemctl start "$unit" >/dev/null; then
							echo "$unit could not be started again" >&2
						fi
{%- elif group.restart == "after-upgrade" %}
					elif [ -e {{ marks | sh }}/"$unit".running ]; then
						case "$unit" in
						*.socket | *.mount | *.slice) ;; # A socket keeps listening: no connection is lost.
						*) deb-systemd-invoke restart "$unit" >/dev/null || true ;;
						esac
{%- endif %}
{%- if group.start %}
					else
						deb-systemd-invoke start "$unit" >/dev/null || true
{%- endif %}
					fi
				done
			}
			resume {{ group.managed | map("sh") | join(" ") }}
{%- endif %}
{%- endfor %}
{%- if stopped_instances %}
			for mark in {{ marks | sh }}/*@*.running; do
				if [ -e "$mark" ]; then
					unit=${mark##*/}
					if ! systemctl start "${unit%.running}" >/dev/null; then
						echo "${unit%.running} could not be started again" >&2
					fi
				fi
			done
{%- endif %}
			rm -rf {{ marks | sh }}
		fi
{%- endif %}
{%- for group in groups if group.restart == "after-upgrade" %}
{%- if group.restarted and not group.remembers %}
		if [ -n "$2" ]; then
			deb-systemd-invoke try-restart {{ group.restarted | map("sh") | join(" ") }} >/dev/null || true
		fi
{%- endif %}
{%- if group.instances %}
		if [ -n "$2" ]; then
			deb-systemd-invoke try-restart {{ group.instances | map("sh") | join(" ") }} >/dev/null || true
		fi
{%- endif %}
{%- endfor %}
	fi
fi
{%- endif %}
