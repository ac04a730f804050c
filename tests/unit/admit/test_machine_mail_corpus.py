"""Recognition on messages that others collected, and on a corpus of absence notes and other machine mail of our own.
`pytest -rP` on this file shows the measured shares."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from tests.corpus.absences import absences
from tests.corpus.machines import Machine, machines
from tests.unit.cast import NOON, ORGANIZATION, RUTH

from autocapture.admit.email import admit_email
from autocapture.admit.exclusions import Exclusions
from autocapture.formats.mime import parse_message

_BOUNCES = Path("../shared/data/bounces-sisimai")
_REPLIES = Path("../shared/data/replies-discourse/emails")
_SIGNED = Path("../shared/data/signatures-forge")
_HEAD = b"From: Anna <anna@nordwind.example>\r\nTo: ruth@ours.example\r\nReturn-Path: <anna@nordwind.example>\r\nSubject: "


def _reason(raw: bytes) -> str | None:
    record = parse_message(raw, received_at=NOON)
    return admit_email(record, RUTH, ORGANIZATION, Exclusions()).reason


@pytest.mark.skipif(not _BOUNCES.is_dir(), reason="the collection of bounces is not here")
def test_bounces_and_automatic_answers_are_recognised() -> None:
    files = sorted(_BOUNCES.glob("*.eml"))
    reasons = {file.name: _reason(file.read_bytes()) for file in files}
    missed = {name for name, reason in reasons.items() if reason is None}
    print(f"{len(files) - len(missed)} of {len(files)} recognised: {dict(Counter(reasons.values()))}")
    assert missed == {"lhost-sendmail-14.eml"}, "a person's forward of a bounce, and nothing else"


def test_absence_notes_of_every_system_are_recognised_in_every_language() -> None:
    corpus = list(absences())
    missed = [(note.system, note.language) for note in corpus if _reason(note.raw) != "auto_reply"]
    languages, systems = ({note.language for note in corpus}, {note.system for note in corpus})
    print(f"{len(corpus) - len(missed)} of {len(corpus)}: {len(languages)} languages, {len(systems)} systems")
    assert missed == []
    assert len(corpus) >= 60
    assert len(languages) >= 8


@pytest.mark.parametrize("machine", list(machines()), ids=lambda machine: f"{machine.kind}: {machine.system}")
def test_other_machine_mail_is_recognised_as_what_it_is(machine: Machine) -> None:
    assert _reason(machine.raw) == machine.kind


def _humans() -> list[tuple[str, bytes]]:
    """Bodies of people's mail by name, under their first line as a subject."""
    files = [*sorted(_REPLIES.iterdir()), *sorted(_SIGNED.rglob("*_body"))]
    return [(file.name, file.read_bytes()) for file in files]


@pytest.mark.skipif(not _REPLIES.is_dir(), reason="the collections of replies and signatures are not here")
def test_peoples_replies_are_not_taken_for_a_machines() -> None:
    humans = _humans()
    wrong = []
    for name, body in humans:
        subject = next((line.strip() for line in body.splitlines() if line.strip()), b"")[:200]
        if _reason(_HEAD + subject + b"\r\n\r\n" + body) is not None:
            wrong.append(name)
    print(f"{len(wrong)} of {len(humans)} taken for a machine's")
    assert len(humans) > 100
    assert wrong == []
