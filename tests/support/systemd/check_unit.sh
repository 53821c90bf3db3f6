#!/bin/bash
# check_unit.sh UNIT PROGRAM PAGES: systemd's own opinion of the unit. It works on a copy whose ExecStart is PROGRAM, because
# `systemd-analyze verify` fails on a program that is not there, and the unit names the installed one. It also asks man for
# every page that Documentation= names, so man is pointed at PAGES, the folder of ours.
set -euo pipefail
unit=$1 program=$2 pages=$3
exposure_max=12 # tenths: 1.2 of 10 is what the full list reaches; a bare unit has 9.5

folder=$(mktemp -d "${TMPDIR:-/tmp}/followupd-unit.XXXXXX")
trap 'rm -rf "$folder"' EXIT
copy=$folder/followupd.service
sed "s#^ExecStart=/usr/bin/followupd #ExecStart=$program #" "$unit" >"$copy"
if ! grep -qF "ExecStart=$program " "$copy"; then
    echo "$unit: ExecStart is not /usr/bin/followupd with arguments" >&2
    exit 1
fi

for page in "$pages"/*.[1-9]; do
    mkdir -p "$folder/man/man${page##*.}"
    cp "$page" "$folder/man/man${page##*.}"
done

# verify answers 0 for a misspelt key; it only complains. So nothing may be said about our unit.
status=0
complaints=$(MANPATH=$folder/man systemd-analyze verify --man=yes "$copy" 2>&1) || status=$?
complaints=$(grep -F followupd <<<"$complaints" || true)
if [[ $status -ne 0 || -n $complaints ]]; then
    echo "systemd-analyze verify: exit status $status" >&2
    echo "$complaints" >&2
    exit 1
fi
systemd-analyze security --no-pager --offline=true --threshold="$exposure_max" "$copy" | tail -n 1

for line in Type=notify NotifyAccess=main WatchdogSec=30s KillMode=mixed Restart=always DynamicUser=yes; do
    grep -qx "$line" "$unit" || { echo "$unit: no line $line" >&2; exit 1; }
done
