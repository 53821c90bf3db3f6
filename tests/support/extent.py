"""extent: how much a long test does. Quick by itself; FOLLOWUPD_FULL=1 (`scripts/test --full`) the whole, FOLLOWUPD_FULL=0.2
a fifth of that. FOLLOWUPD_SEED repeats a run, or makes another one; each test prints its own.

    RUNS = extent(22, 1000)
"""

import os

SHARE = float(os.environ.get("FOLLOWUPD_FULL") or 0)
SEED = int(os.environ.get("FOLLOWUPD_SEED") or 20260907)


def extent(quick, full):
    return max(1, round(full * SHARE)) if SHARE > 0 else quick


def seconds(quick, full):
    """How long the test may take."""
    return int(max(quick, full * SHARE))
