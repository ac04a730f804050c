"""Recognition on messages that others collected. `pytest -rP` on this file shows the measured shares."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from tests.unit.cast import NOON, ORGANIZATION, RUTH

from autocapture.admit.email import admit_email
from autocapture.admit.exclusions import Exclusions
from autocapture.formats.mime import parse_message

_BOUNCES = Path("../shared/data/bounces-sisimai")
_REPLIES = Path("../shared/data/replies-discourse/emails")


def _reason(raw: bytes) -> str | None:
    record = parse_message(raw, received_at=NOON)
    return admit_email(record, RUTH, ORGANIZATION, Exclusions()).reason


@pytest.mark.skipif(not _BOUNCES.is_dir(), reason="the collection of bounces is not here")
def test_bounces_and_automatic_answers_are_recognised() -> None:
    files = sorted(_BOUNCES.glob("*.eml"))
    reasons = Counter(_reason(file.read_bytes()) for file in files)
    missed = {file.name for file in files if _reason(file.read_bytes()) is None}
    print(f"{len(files) - len(missed)} of {len(files)} recognised: {dict(reasons)}")
    # A person's forward of a bounce, and a list's refusal that bears no sign at all.
    assert missed == {"lhost-sendmail-14.eml", "lhost-fml-02.eml"}


@pytest.mark.skipif(not _REPLIES.is_dir(), reason="the collection of replies is not here")
def test_peoples_replies_are_not_taken_for_a_machines() -> None:
    files = sorted(_REPLIES.iterdir())
    head = b"From: Anna <anna@nordwind.example>\r\nTo: ruth@ours.example\r\nReturn-Path: <anna@nordwind.example>\r\nSubject: "
    wrong = []
    for file in files:
        body = file.read_bytes()
        subject = next((line.strip() for line in body.splitlines() if line.strip()), b"")[:200]
        if _reason(head + subject + b"\r\n\r\n" + body) is not None:
            wrong.append(file.name)
    print(f"{len(wrong)} of {len(files)} taken for a machine's")
    assert wrong == []
