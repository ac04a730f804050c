"""The people with whom the tests of admit, normalize and match play, and short ways to write their mail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from autocapture.formats.addresses import parse_addresses
from autocapture.model.directory import Colleague, Organization
from autocapture.records import EmailRecord

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)

RUTH = Colleague(1, "ruth@ours.example", "Ruth", "Europe/Berlin", "DE")
SAM = Colleague(2, "sam@ours.example", "Sam", "America/New_York", "US")
TINA = Colleague(3, "tina@ours.example", "Tina", "Asia/Tokyo", "JP")

ORGANIZATION = Organization(
    colleagues={each.user_id: each for each in (RUTH, SAM, TINA)},
    handles={
        "ruth@ours.example": 1,
        "r.miller@ours.example": 1,
        "sam@ours.example": 2,
        "tina@ours.example": 3,
        "+493012345601": 1,
        "ext:601": 1,
        "ext:602": 2,
    },
    domains=frozenset({"ours.example"}),
)


def mail(
    author: str = "Anna <anna@nordwind.example>",
    to: str = "ruth@ours.example",
    *,
    cc: str = "",
    bcc: str = "",
    subject: str = "The offer",
    message_id: str | None = "1@nordwind.example",
    at: datetime | None = NOON,
    headers: dict[str, str] | None = None,
    **given: Any,
) -> EmailRecord:
    given.setdefault("received_at", at + timedelta(seconds=5) if at else None)
    return EmailRecord(
        message_id=message_id,
        subject=subject,
        from_=parse_addresses(author),
        to=parse_addresses(to),
        cc=parse_addresses(cc),
        bcc=parse_addresses(bcc),
        sent_at=at,
        headers=headers or {},
        **given,
    )
