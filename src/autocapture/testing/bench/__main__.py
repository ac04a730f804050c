"""The command: measures, prints, and ends with 1 where a goal is missed, 2 where nothing can be measured."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence

from autocapture.errors import SetupError
from autocapture.testing.bench.goals import as_json, as_table, verdicts
from autocapture.testing.bench.mailbox import CONTACTS
from autocapture.testing.bench.measure import Plan, measure


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m autocapture.testing.bench", description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5, help="every program runs once in each (default 5)")
    parser.add_argument("--contacts", type=int, default=CONTACTS)
    parser.add_argument("--folders", type=int, default=100, help="folders of the idle pass")
    parser.add_argument("--without", action="append", default=[], metavar="PROGRAM", help="leave one out")
    parser.add_argument("--format", choices=("table", "json"), default="table")
    given = parser.parse_args(words)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as an exception, so that the server ends too
    plan = Plan(given.messages, given.rounds, given.contacts, given.folders, given.without)
    try:
        found = measure(plan, lambda line: _line(sys.stderr, line))
    except (SetupError, RuntimeError) as problem:
        _line(sys.stderr, f"bench: {problem}")
        return 2
    _line(sys.stdout, json.dumps(as_json(found)) if given.format == "json" else as_table(found))
    return int(any(verdict.passed is False for verdict in verdicts(found)))


def _line(stream: object, text: str) -> None:
    print(text, file=stream, flush=True)  # type: ignore[call-overload]


if __name__ == "__main__":
    sys.exit(main())
