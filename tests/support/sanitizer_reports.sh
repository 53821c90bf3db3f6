#!/bin/bash
# sanitizer_reports.sh empty FOLDER   makes the folder ready for a run
# sanitizer_reports.sh check FOLDER   prints every report in it, and fails if there is one
# Every process of a test run writes there: log_path in ASAN_OPTIONS and UBSAN_OPTIONS (tests/suites.cmake).
set -euo pipefail
folder=$2
case $1 in
empty)
    rm -rf "$folder"
    mkdir -p "$folder"
    chmod 1777 "$folder" # a process that gave up root can report too
    ;;
check)
    if [[ ! -d $folder ]]; then
        echo "no folder $folder: reports would have gone nowhere" >&2
        exit 2
    fi
    shopt -s nullglob
    reports=("$folder"/*)
    for report in "${reports[@]}"; do
        echo "--- ${report##*/}"
        head -c 20000 "$report"
    done
    echo "sanitizer reports: ${#reports[@]}"
    [[ ${#reports[@]} -eq 0 ]]
    ;;
*)
    echo "usage: $0 empty|check FOLDER" >&2
    exit 2
    ;;
esac
