#!/bin/bash
# Stands in for psql under pg_prove: runs its file in a new copy of FOLLOWUPD_TEMPLATE, and drops the copy.
set -euo pipefail
database=tap_$$
psql=("$FOLLOWUPD_PSQL" -X)
"${psql[@]}" -q -d postgres -v ON_ERROR_STOP=1 -c "CREATE DATABASE $database TEMPLATE $FOLLOWUPD_TEMPLATE"
trap '"${psql[@]}" -q -d postgres -c "DROP DATABASE $database WITH (FORCE)"' EXIT
status=0
PGDATABASE=$database "${psql[@]}" "$@" || status=$?
exit "$status"
