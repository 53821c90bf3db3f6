"""The demo: `scripts/demo` (live, until Ctrl-C) and `scripts/demo --once` (a story to its end, judged by the oracle)."""
import argparse
import signal
import sys

from stage import SOURCE, Stage
import story
import view


def main():
    parser = argparse.ArgumentParser(prog="scripts/demo", description="followupd at work: 200 leads, 3600 times faster.")
    parser.add_argument("--once", action="store_true", help="play a story to its end without a terminal, and judge it")
    parser.add_argument("--no-link", action="store_true", help="leave the link .demo alone")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    with Stage(link=None if options.no_link else SOURCE / ".demo") as stage:
        return story.play_once(stage) if options.once else view.run(stage)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
