"""The demo: `scripts/demo` (live, until Ctrl-C) and `scripts/demo --once` (a story to its end, judged by the oracle)."""
import argparse
import signal
import sys

from stage import SOURCE, Stage
import story
import view


def leave(number, _frame):
    """Ends as Ctrl-C does. Once: a closed terminal says so twice, and tidying up is not to be cut short."""
    signal.signal(number, signal.SIG_IGN)
    sys.exit(128 + number)


def main():
    parser = argparse.ArgumentParser(prog="scripts/demo", description="followupd at work: 200 leads, 3600 times faster.")
    parser.add_argument("--once", action="store_true", help="play a story to its end without a terminal, and judge it")
    parser.add_argument("--no-link", action="store_true", help="leave the link .demo alone")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, leave)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup
        signal.signal(signal.SIGHUP, leave)
    with Stage(link=None if options.no_link else SOURCE / ".demo") as stage:
        return story.play_once(stage) if options.once else view.run(stage)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
