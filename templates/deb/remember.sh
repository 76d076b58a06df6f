{%- if managed %}
	remember() {
		for unit in "$@"; do
			enabled=$(systemctl is-enabled "$unit" 2>/dev/null || true)
			active=$(systemctl is-active "$unit" 2>/dev/null || true)
			case "$enabled/$active" in
			masked*/*)
				: > {{ marks | sh }}/"$unit".left
				;;
			*/active | */activating | */reloading | */refreshing)
				: > {{ marks | sh }}/"$unit".running
				;;
			*/inactive | */deactivating)
				# A unit that the installed version does not have is new, and nobody stopped it.
				if [ -e /usr/lib/systemd/system/"$unit" ]; then
					: > {{ marks | sh }}/"$unit".left
				fi
				;;
			esac
		done
	}
{%- endif %}
	# What runs and what was stopped or masked is remembered until the postinst, so that the administrator's choice
	# outlives the upgrade. An interrupted upgrade has left its memory, and that is the one to keep.
	if [ ! -d {{ marks | sh }} ]; then
		mkdir -p {{ marks | sh }}
{%- if managed %}
		remember {{ managed | map("sh") | join(" ") }}
{%- endif %}
{%- if instances %}
		instances=$(systemctl list-units --plain --no-legend --state=active {{ instances | map("sh") | join(" ") }} | cut -d ' ' -f 1)
		for unit in $instances; do
			: > {{ marks | sh }}/"$unit".running
		done
{%- endif %}
	fi
