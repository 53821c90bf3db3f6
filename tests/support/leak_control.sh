#!/bin/bash
# leak_control.sh PROGRAM FOLDER: the leak of PROGRAM must reach FOLDER, and sanitizer_reports.sh must fail on it.
# The options are those of every other test, only with a log_path of our own.
set -euo pipefail
program=$1 folder=$2
here=$(dirname "${BASH_SOURCE[0]}")
if [[ ${ASAN_OPTIONS:-} != *log_path=* ]]; then
    echo "ASAN_OPTIONS holds no log_path: '${ASAN_OPTIONS:-}'" >&2
    exit 1
fi
"$here/sanitizer_reports.sh" empty "$folder"
status=0
ASAN_OPTIONS="$ASAN_OPTIONS:log_path=$folder/report" "$program" || status=$?
echo "the leaking program exited $status"
if output=$("$here/sanitizer_reports.sh" check "$folder"); then
    echo "the leak was not reported" >&2
    exit 1
fi
for expected in LeakSanitizer '4711 byte(s) in 1 object' passes_and_leaks; do
    if [[ $output != *"$expected"* ]]; then
        echo "the report does not say '$expected':" >&2
        echo "$output" >&2
        exit 1
    fi
done
echo "caught, as it must be"
