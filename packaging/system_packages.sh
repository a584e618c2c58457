#!/bin/sh
# Sees to the system packages of the named groups: installs what is missing where that is permitted, otherwise
# names it in one message. Usage: system_packages.sh [client] [servers] [screen]
set -u

client="libegl1 libgl1 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0 libxcb-image0
 libxcb-render-util0 libxcb-xinerama0 libxcb-randr0 libdbus-1-3 libfontconfig1 libglib2.0-0 fonts-dejavu-core"
servers="mosquitto mosquitto-clients mariadb-server libpaho-mqtt1.3 strace"
screen="xvfb fonts-inter"

command -v dpkg-query >/dev/null 2>&1 || exit 0

missing=""
for group in "$@"; do
    eval "packages=\$$group"
    for package in $packages; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' && continue
        # Newer releases carry some libraries under a name with a t64 suffix.
        dpkg-query -W -f '${Status}' "${package}t64" 2>/dev/null | grep -q 'ok installed' && continue
        missing="$missing $package"
    done
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=""
elif sudo -n true 2>/dev/null; then
    as_root="sudo"
else
    echo "These system packages are missing and may not be installed from here:$missing" >&2
    echo "Ask for: sudo apt-get install$missing" >&2
    exit 1
fi
echo "Installing system packages:$missing ..."
log=$(mktemp)
# A distribution package must not start its server here: the tests run private instances of their own.
if (
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    # shellcheck disable=SC2086 - a list of package names
    $as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $missing
) >"$log" 2>&1; then
    rm -f "$log"
else
    echo "The packages could not be installed:" >&2
    tail -n 5 "$log" >&2
    echo "Ask for: sudo apt-get install$missing" >&2
    exit 1
fi
