#!/bin/bash
# A seed repeats exactly: its journal and its workers' steps, run twice, are the same to the byte.
#   repeats.sh PATH_OF_SIM SEED...
set -euo pipefail
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
for seed in "${@:2}"; do
    for run in 1 2; do
        "$1" --seed "$seed" --trace --journal "$out/journal.$run" 2> "$out/trace.$run"
    done
    [ -s "$out/journal.1" ] && [ "$(wc -l < "$out/trace.1")" -gt 10 ] || { echo "seed $seed: nothing was told"; exit 1; }
    cmp "$out/journal.1" "$out/journal.2"
    cmp "$out/trace.1" "$out/trace.2"
    echo "seed $seed: $(wc -l < "$out/journal.1") lines of journal and $(wc -l < "$out/trace.1") steps, twice the same"
done
