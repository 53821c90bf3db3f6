#!/bin/bash
# Runs the simulation for these seeds and has the journal audited.
#   run.sh PATH_OF_SIM FIRST..LAST
set -euo pipefail
"$1" --seeds "$2" --journal - | /usr/bin/python3 -B "${BASH_SOURCE[0]%/*}/audit.py"
