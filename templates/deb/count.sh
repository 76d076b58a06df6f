# As rpm counts: how many versions there will be.
count=2
if [ -z "${2:-}" ] || [ -e "${DPKG_ROOT:-}"/run/packhouse/{{ package | sh }}.installs ]; then
	count=1
fi
if [ "$1" = configure ]; then
	rm -f "${DPKG_ROOT:-}"/run/packhouse/{{ package | sh }}.installs
fi
