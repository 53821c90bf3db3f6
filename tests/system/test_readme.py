"""What README.md has a newcomer type works, in its order, upon the examples that it names."""

import datetime as dt
import os
import re
import shlex
import subprocess

import schema

SOURCE = schema.SOURCE
BUSINESS = dt.datetime(2026, 11, 27, 12, tzinfo=dt.timezone.utc)  # before the instants that it names
DRAWN = "status --watch"  # never ends


def block_below(heading, first):
    """The lines of the first block behind that sentence, of which one begins so."""
    text = (SOURCE / "README.md").read_text(encoding="utf-8")
    below = text[text.index(heading):]
    return re.search(r"\n\n((?:    .*\n)*    " + re.escape(first) + r"(?:.*\n    )*.*)\n\n", below).group(1)


def test_the_calls_of_the_readme_are_done(database):
    database.fast_clock(1, BUSINESS)
    calls = [line.strip() for heading, first in (("An account, the persona who writes", "followupctl account add"),
                                                 ("From then on people act", "followupctl preview"))
             for line in block_below(heading, first).splitlines() if DRAWN not in line]
    assert len(calls) > 14
    environment = {**os.environ, "FOLLOWUPD_CONNINFO": database.conninfo,
                   "PATH": f"{os.environ['FOLLOWUPD_BIN']}:{os.environ['PATH']}"}
    for call in calls:
        call = call.replace("psql ", f"psql --dbname {shlex.quote(database.conninfo)} -v ON_ERROR_STOP=1 ", 1)
        done = subprocess.run(["bash", "-c", call], cwd=SOURCE, env=environment, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, f"{call}\n{done.stdout}{done.stderr}"
    stop, reply, move = block_below("The same functions from SQL", "SELECT * FROM followup.stop_messaging").rstrip(";").split(";\n")
    with database.connect() as connection:
        assert [row[1] for row in connection.execute(stop)] == [True, True]
        assert [row[1] for row in connection.execute(reply)] == [True]
        assert connection.execute(move).rowcount == 1
