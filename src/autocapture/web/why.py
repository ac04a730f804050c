"""Why is a mail not here? Answered from the ledger of the visitor's own accounts."""

from __future__ import annotations

from typing import Any

from autocapture.application import Application
from autocapture.report.reader import Reader
from autocapture.web.templating import render
from autocapture.web.visit import Visit, signed_in_user
from autocapture.workflows.explain import Explanation
from autocapture.workflows.explain_item import Line, Source
from autocapture.workflows.explaining import explained

LONGEST = 1_000


def page(application: Application, visit: Visit, item: str) -> str:
    """`item` is a Message-ID, or another id that the item has at its source; empty before anything is asked."""
    asked, user, reader = item.strip()[:LONGEST], signed_in_user(visit), visit.reader
    found = explained(application, asked, user.id) if asked and "\0" not in asked else None
    return render(
        "why.html",
        title="Why is it not here?",
        visit=visit,
        item=asked,
        longest=LONGEST,
        here=[_here(each, reader) for each in found.activities] if found else [],
        lines=[_line(each, reader) for each in found.lines if not each.activity_ids] if found else [],
        nowhere=found is not None and not found.activities and not found.lines,
        sources=[_source(each, reader) for each in found.sources] if found else [],
    )


def _here(one: Explanation, reader: Reader) -> dict[str, Any]:
    return {
        "href": f"/activities/{one.activity.id}",
        "what": one.activity.subject or f"the {one.activity.kind}",
        "when": reader.moment_full(one.activity.occurred_at),
    }


def _line(line: Line, reader: Reader) -> dict[str, Any]:
    return {
        "where": f"{line.channel} ({line.connector})",
        "when": reader.moment_full(line.at) if line.at else "",
        "said": line.sentence,
        "rule": line.rule or "of an earlier release",
        "judged": reader.moment_full(line.judged_at),
        "gone": reader.moment_full(line.gone_at) if line.gone_at else "",
    }


def _source(source: Source, reader: Reader) -> dict[str, Any]:
    return {
        "href": f"/accounts/{source.account_id}",
        "connector": source.connector,
        "state": source.state.replace("_", " "),
        "since": source.since,
        "last": reader.moment_full(source.last_ok_at) if source.last_ok_at else "never yet",
    }
