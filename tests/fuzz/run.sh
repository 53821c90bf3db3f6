#!/bin/bash
# Replays a fuzz target's corpus, then fuzzes for some seconds from it.
#   run.sh PROGRAM SECONDS
# The corpus is tests/fuzz/corpus/NAME. What is found new is kept beside the program for the next run here, and what fails is
# written there and printed: put it into the corpus with the mend. More of it: PROGRAM FOLDER... (libFuzzer's own options)
set -euo pipefail
program=$1 seconds=$2
name=${program##*/fuzz_}
corpus=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/corpus/$name
found=$program.found
mkdir -p "$found"

if [ -z "$(ls -A "$corpus" 2>/dev/null)" ]; then
    echo "no corpus: $corpus" >&2
    exit 1
fi
# Reports belong into this output, not into the folder of the other tests' sanitizers.
export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1
options=(-timeout=10 -rss_limit_mb=1024 -max_len=16384 -artifact_prefix="$program." -print_final_stats=1 -verbosity=0)
"$program" "${options[@]}" "$corpus"/*
exec "$program" "${options[@]}" -verbosity=1 -max_total_time="$seconds" "$found" "$corpus" 2> >(grep -vE '^(#[0-9]+|[[:space:]]*NEW_FUNC)' >&2)
