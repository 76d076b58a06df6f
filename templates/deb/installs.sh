if [ "$1" = install ]; then
	# After a removal that left configuration files, the postinst is told a version although this is no upgrade.
	mkdir -p "${DPKG_ROOT:-}"/run/packhouse
	: > "${DPKG_ROOT:-}"/run/packhouse/{{ package | sh }}.installs
fi
