"""What the database refuses costs the item that holds it: the page, the cursor and all mail behind it go on."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.integration.capture.deployment import PEOPLE, rows

from autocapture.application import Application
from autocapture.clock import SystemClock
from autocapture.connector import Broken, Channel, Gone, Page, Record, Ref
from autocapture.model.activities import Activity
from autocapture.model.ledger import LedgerEntry
from autocapture.records import Address, EmailRecord
from autocapture.testing.fakes.source import MemoryConnector
from autocapture.workflows import pages
from autocapture.workflows.capture import capture_account
from autocapture.workflows.connect_account import Login, connect_account

LONG_ID = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=8_000))
REFUSED = {
    "a key that no index of PostgreSQL takes": {"message_id": LONG_ID},
    "half of a surrogate pair in the subject": {"subject": "\ud83d"},
    "an id with half of a surrogate pair": {"message_id": "\ud83d@customer.example"},
    "a zero byte in the subject": {"subject": "a\0b"},
    "a zero byte in an address": {"from_": (Address("k\0im@customer.example"),)},
    "an author of ten thousand characters": {"from_": (Address("k" * 10_000 + "@customer.example"),)},
}


def _mail(number: int) -> EmailRecord:
    at = datetime(2026, 11, 2, 9, tzinfo=UTC) + timedelta(hours=number)
    return EmailRecord(
        message_id=f"{number}@customer.example",
        subject=f"number {number}",
        from_=(Address("kim@customer.example", "Kim"),),
        to=(Address(PEOPLE[0]),),
        sent_at=at,
        received_at=at,
    )


@dataclass
class _Connection:
    """A third party's: nothing between the provider and the records cleans them."""

    mails: dict[str, EmailRecord]

    def channels(self) -> Sequence[Channel]:
        return [Channel("inbox", "email", "Inbox")]

    def pull(self, channel: Channel, cursor: str | None, *, limit: int) -> Page:
        return Page([Ref(each, "1") for each in self.mails], "end", complete=cursor is None)

    def get(self, channel: Channel, ids: Sequence[str]) -> Sequence[Record | Gone | Broken]:
        return [Record(each, self.mails[each], "1") for each in ids]


@dataclass
class _Registry:
    connector: MemoryConnector

    def names(self) -> tuple[str, ...]:
        return (self.connector.name,)

    def get(self, name: str) -> Any:
        return self.connector


@pytest.mark.parametrize("values", REFUSED.values(), ids=REFUSED.keys())
def test_an_item_that_the_database_refuses_is_quarantined_or_stored_alone(
    either_app: Application, values: dict[str, Any]
) -> None:
    mails = {str(number): _mail(number) for number in range(40)}
    mails["17"], mails["18"] = replace(mails["17"], **values), replace(mails["18"], **values)
    connector = MemoryConnector("third", frozenset({"email"}), lambda: _Connection(mails))
    app = replace(either_app, registry=_Registry(connector))  # type: ignore[arg-type]
    account = connect_account(app, Login(PEOPLE[0], "third", {})).account_id
    report = capture_account(app, account)
    assert report.status == "ok", report
    lines = {line["source_id"]: line for line in rows(app, LedgerEntry)}
    assert len(lines) == 40
    others = [line["outcome"] for name, line in lines.items() if name not in ("17", "18")]
    assert others == ["captured"] * 38
    assert len(rows(app, Activity)) >= 38
    again = capture_account(app, account)
    assert (again.status, again.captured, again.quarantined) == ("ok", 0, 0)


class _Later(SystemClock):
    waited = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.waited


def test_items_refused_once_more_stay_in_quarantine_and_the_account_goes_on(either_app: Application) -> None:
    mails = {str(number): _mail(number) for number in range(60)}
    for number in range(25):
        mails[str(number)] = replace(mails[str(number)], subject="\ud83d")
    connector = MemoryConnector("third", frozenset({"email"}), lambda: _Connection(mails))
    app = replace(either_app, registry=_Registry(connector), clock=_Later())  # type: ignore[arg-type]
    account = connect_account(app, Login(PEOPLE[0], "third", {})).account_id
    assert capture_account(app, account).quarantined == 25
    app.clock.waited = timedelta(hours=1)  # type: ignore[attr-defined]
    again = capture_account(app, account)
    assert (again.status, again.captured, again.quarantined) == ("ok", 0, 25), again
    refused = [line for line in rows(app, LedgerEntry) if line["outcome"] == "quarantined"]
    assert {(line["tries"], line["retry_at"] > app.clock.now()) for line in refused} == {(2, True)}
    mails["7"] = _mail(7)
    app.clock.waited = timedelta(hours=3)  # type: ignore[attr-defined]
    mended = capture_account(app, account)
    assert (mended.status, mended.captured, mended.quarantined) == ("ok", 1, 24), mended


def test_a_store_that_takes_nothing_is_no_fault_of_the_items(
    app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    def defect(*_arguments: object) -> None:
        raise KeyError("a slip of ours")

    mails = {str(number): _mail(number) for number in range(200)}
    connector = MemoryConnector("third", frozenset({"email"}), lambda: _Connection(mails))
    app = replace(app, registry=_Registry(connector))  # type: ignore[arg-type]
    account = connect_account(app, Login(PEOPLE[0], "third", {})).account_id
    with monkeypatch.context() as patch:
        patch.setattr(pages, "store_emails", defect)
        report = capture_account(app, account)
    assert (report.status, report.quarantined) == ("broken", 0)
    assert rows(app, LedgerEntry) == []


def test_an_item_whose_very_name_is_refused_stops_its_channel_and_says_so(app: Application) -> None:
    mails = {"1": _mail(1), "\ud83d": _mail(2)}
    connector = MemoryConnector("third", frozenset({"email"}), lambda: _Connection(mails))
    app = replace(app, registry=_Registry(connector))  # type: ignore[arg-type]
    account = connect_account(app, Login(PEOPLE[0], "third", {})).account_id
    report = capture_account(app, account)
    assert report.status == "incomplete"
    assert "names an item in a way that no database can hold" in str(report.why)
