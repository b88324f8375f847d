#!/bin/sh
# Make a tree of Debian 13 with QGIS 3.40 in a folder, or say in one line why there is none.
# Packages are unpacked and not configured: that takes a third of the time, and is enough to run it.
set -u
PATH=$PATH:/usr/sbin:/sbin
tree=$1
log=$2

fail() {
    rm -rf --one-file-system "$tree"
    printf '\033[1;31m   NOT TESTED with QGIS 3.40: %s\033[0m\n' "$1"
    exit 0
}

if [ -e "$tree/.made" ]; then
    exit 0
fi
if [ "$(id -u)" != 0 ]; then
    fail 'a tree of Debian 13 is made by root alone'
fi
rm -rf --one-file-system "$tree"
if ! command -v mmdebstrap >/dev/null 2>&1; then
    {
        apt-get update -qq &&
            DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq \
                --no-install-recommends mmdebstrap
    } >"$log" 2>&1 ||
        fail "there is no mmdebstrap to be had: see $log"
fi
timeout 400 mmdebstrap --variant=extract --include=python3-qgis,qgis-providers \
    --aptopt='APT::Install-Recommends "false"' trixie "$tree" >"$log" 2>&1 ||
    fail "the tree of Debian 13 could not be made: see $log"
for folder in bin sbin lib lib64; do
    [ -e "$tree/$folder" ] || ln -s "usr/$folder" "$tree/$folder"
done
ldconfig -r "$tree" 2>>"$log"
libraries=/usr/lib/x86_64-linux-gnu
version=$(env HOME=/tmp QT_QPA_PLATFORM=offscreen LD_LIBRARY_PATH="$libraries/blas:$libraries/lapack" \
    chroot "$tree" /usr/bin/python3 -c 'import qgis.core; print(qgis.core.Qgis.version())' 2>>"$log") ||
    fail "QGIS does not start there: see $log"
echo "   QGIS $version"
touch "$tree/.made"
