"""The command: measures, prints, and ends with 1 where a goal is missed, 2 where nothing can be measured."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autocapture.errors import SetupError
from autocapture.testing.bench import goals as mail_goals
from autocapture.testing.bench.goals import Verdict
from autocapture.testing.bench.mailbox import CONTACTS
from autocapture.testing.bench.match import goals as match_goals
from autocapture.testing.bench.match.crm import Size
from autocapture.testing.bench.match.measure import Plan as MatchPlan
from autocapture.testing.bench.match.measure import measure as measure_match
from autocapture.testing.bench.measure import Plan as MailPlan
from autocapture.testing.bench.measure import measure as measure_mail
from autocapture.testing.bench.providers import goals as provider_goals
from autocapture.testing.bench.providers.measure import PARTS
from autocapture.testing.bench.providers.measure import Plan as ProvidersPlan
from autocapture.testing.bench.providers.measure import measure as measure_providers
from autocapture.testing.bench.text import measure as text
from autocapture.testing.bench.text.collections import read_collections

Outcome = tuple[str, dict[str, Any], list[Verdict]]


def main(words: Sequence[str] | None = None) -> int:
    """`mail` is meant where no bench is named."""
    given = list(sys.argv[1:] if words is None else words)
    bench = given.pop(0) if given and given[0] in _BENCHES else "mail"
    parser = argparse.ArgumentParser(prog=f"python -m autocapture.testing.bench {bench}", description=__doc__)
    parser.add_argument("--format", choices=("table", "json"), default="table")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as an exception, so that the server ends too
    try:
        table, document, judged, as_json = (
            *_BENCHES[bench](parser, given),
            parser.parse_args(given).format == "json",
        )
    except (SetupError, RuntimeError) as problem:
        _line(sys.stderr, f"bench: {problem}")
        return 2
    _line(sys.stdout, json.dumps(document) if as_json else table)
    return int(any(verdict.passed is False for verdict in judged))


def _mail(parser: argparse.ArgumentParser, words: Sequence[str]) -> Outcome:
    parser.add_argument("--contacts", type=int, default=CONTACTS)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5, help="every program runs once in each (default 5)")
    parser.add_argument("--folders", type=int, default=100, help="folders of the idle pass")
    parser.add_argument("--without", action="append", default=[], metavar="PROGRAM", help="leave one out")
    given = parser.parse_args(words)
    plan = MailPlan(given.messages, given.rounds, given.contacts, given.folders, given.without)
    found = measure_mail(plan, _say)
    return mail_goals.as_table(found), mail_goals.as_json(found), mail_goals.verdicts(found)


def _providers(parser: argparse.ArgumentParser, words: Sequence[str]) -> Outcome:
    parser.add_argument("--contacts", type=int, default=CONTACTS)
    parser.add_argument("--part", action="append", choices=PARTS, help="this one alone; may be given again")
    parser.add_argument("--mailboxes", type=int, default=500)
    parser.add_argument("--messages-a-day", type=int, default=100_000)
    parser.add_argument("--minutes", type=float, default=20, help="simulated minutes of the busy stretch")
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5, help="of rest and work, for all mailboxes together")
    given = parser.parse_args(words)
    plan = ProvidersPlan(
        given.part or PARTS,
        given.mailboxes,
        given.messages_a_day,
        given.minutes,
        given.contacts,
        given.events,
        given.rounds,
    )
    found = measure_providers(plan, _say)
    return provider_goals.as_table(found), provider_goals.as_json(found), provider_goals.verdicts(found)


def _match(parser: argparse.ArgumentParser, words: Sequence[str]) -> Outcome:
    plan = MatchPlan()
    parser.add_argument("--messages", type=int, default=plan.messages, help="in all rounds together")
    parser.add_argument("--rounds", type=int, default=plan.rounds)
    parser.add_argument("--contacts", type=int, default=plan.size.contacts)
    parser.add_argument("--companies", type=int, default=plan.size.companies)
    parser.add_argument("--deals", type=int, default=plan.size.deals)
    parser.add_argument("--activities", type=int, default=plan.activities, help="that are matched anew")
    parser.add_argument("--mails", type=int, default=plan.mails, help="that come by themselves, each round")
    parser.add_argument("--batch", type=int, default=plan.batch, help="messages that are matched at once")
    parser.add_argument("--on", action="append", choices=match_goals.DATABASES, help="this database alone")
    parser.add_argument("--without", action="append", default=[], metavar="PROGRAM", help="leave one out")
    parser.add_argument("--postgres", metavar="URL", help="a server; default: one that a package starts")
    given = parser.parse_args(words)
    plan = MatchPlan(
        messages=given.messages,
        rounds=given.rounds,
        size=Size(given.contacts, given.companies, given.deals),
        activities=given.activities,
        mails=given.mails,
        batch=given.batch,
        without=given.without,
        databases=given.on or plan.databases,
        server=given.postgres,
    )
    found = measure_match(plan, _say)
    return match_goals.as_table(found), match_goals.as_json(found), match_goals.verdicts(found)


def _text(parser: argparse.ArgumentParser, words: Sequence[str]) -> Outcome:
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="where the collections are")
    found = text.measure(read_collections(parser.parse_args(words).data))
    return text.as_table(found), text.as_json(found), text.verdicts(found)


_BENCHES = {"mail": _mail, "providers": _providers, "match": _match, "text": _text}


def _say(line: str) -> None:
    _line(sys.stderr, line)


def _line(stream: object, text: str) -> None:
    print(text, file=stream, flush=True)  # type: ignore[call-overload]


if __name__ == "__main__":
    sys.exit(main())
