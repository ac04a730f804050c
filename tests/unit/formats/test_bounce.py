"""Whom a bounce says was not reached, and whether for good. `pytest -rP` on this file shows the measured shares."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autocapture.formats.body import body_text
from autocapture.formats.bounce import Failure, failures

_DATA = Path("../shared/data/bounces-sisimai")
_NO_BOUNCES = {"feedback", "delivered", "vacation"}

REPORT = b"""Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain; charset=utf-8

This is the mail system at host mx.ours.example.
For further assistance, please send mail to <postmaster@ours.example>.

<anna@nordwind.example>: host mx.nordwind.example[192.0.2.1] said: 550 5.1.1
    <anna@nordwind.example>: Recipient address rejected: User unknown

<bo@nordwind.example>: host mx.nordwind.example[192.0.2.1] said: 452 4.2.2
    Mailbox full (in reply to RCPT TO command)
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.ours.example

Final-Recipient: rfc822; anna@nordwind.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 <anna@nordwind.example>: Recipient address
    rejected: User unknown

Final-Recipient: rfc822; bo@nordwind.example
Action: failed
Status: 4.2.2
Diagnostic-Code: smtp; 452 4.2.2 Mailbox full

Final-Recipient: rfc822; cy@nordwind.example
Action: delayed
Status: 4.4.1
--b
Content-Type: message/rfc822

From: ruth@ours.example
To: anna@nordwind.example, dee@nordwind.example
Subject: The offer

Hello
--b--
"""


def test_a_delivery_report_names_who_was_not_reached_and_for_how_long() -> None:
    assert failures(body_text(REPORT)) == (
        Failure("anna@nordwind.example", True, "5.1.1"),
        Failure("bo@nordwind.example", False, "4.2.2"),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Hi. This is the qmail-send program at mx.ours.example.\n\n<anna@nordwind.example>:\n"
            "192.0.2.1 does not like recipient.\nRemote host said: 550 sorry, no mailbox here by that name. (#5.1.1)\n\n"
            "--- Below this line is a copy of the message.\n\nTo: dee@nordwind.example\n",
            [Failure("anna@nordwind.example", True, "5.1.1")],
        ),
        (
            "A message that you sent could not be delivered. This is a permanent error. The following address(es) failed:\n\n"
            "  anna@nordwind.example\n    host mx.nordwind.example: 550 5.1.1 unknown user\n"
            "  bo@nordwind.example\n    host mx.nordwind.example: 552 5.2.2 over quota\n",
            [Failure("anna@nordwind.example", True, "5.1.1"), Failure("bo@nordwind.example", False, "5.2.2")],
        ),
        (
            "Delivery has failed to these recipients or groups:\n\nanna@nordwind.example<mailto:anna@nordwind.example>\n"
            "The email address you entered couldn't be found.\n\nDiagnostic information for administrators:\n"
            "anna@nordwind.example\nRemote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found'\n",
            [Failure("anna@nordwind.example", True, "5.1.10")],
        ),
        (
            "Ihre Nachricht an anna@nordwind.example konnte nicht zugestellt werden.\n<anna@nordwind.example>: "
            "550 5.7.1 Message blocked because of spam reputation; user unknown to us\n",
            [Failure("anna@nordwind.example", False, "5.7.1")],
        ),
        (
            "<anna@nordwind.example>: host mx said: 550 Unknown user (in reply to end of DATA command)\n",
            [Failure("anna@nordwind.example", False, "")],
        ),
        ("Warning: your message is still being tried. You need do nothing.\n", []),
        ("", []),
    ],
)
def test_the_prose_of_mail_systems_is_read_where_no_report_is(text: str, expected: list[Failure]) -> None:
    assert list(failures(text)) == expected


def test_a_hostile_bounce_is_read_in_little_time_and_names_few() -> None:
    assert len(failures("\n".join(f"<a{number}@x.example>: unknown" for number in range(20_000)))) == 100
    assert failures(("<" * 64 + "a@b") * 1_000) == ()
    assert failures("x" * 65_536) == ()
    assert failures("to" + " " * 60_000 + "@") == ()


@pytest.mark.skipif(not _DATA.is_dir(), reason="the collection of bounces is not here (../shared/data)")
def test_hard_bounces_of_many_systems_are_told_from_soft_ones() -> None:
    expected = json.loads((_DATA / "expected.json").read_text(encoding="utf-8"))
    hard = found = wrong = filtered = soft = named = 0
    for name, told in expected.items():
        if any(each["reason"] in _NO_BOUNCES for each in told):
            continue
        got = failures(body_text((_DATA / name).read_bytes()))
        want, have = (sum(each["hardbounce"] for each in told), sum(each.hard for each in got))
        hard, soft, found = hard + want, soft + len(told) - want, found + min(want, have)
        named += bool(got)
        if have > want:
            words_say_unknown = any(each["reason"] == "filtered" for each in told)
            filtered, wrong = filtered + words_say_unknown, wrong + (not words_say_unknown)
    print(
        f"hard: {found} of {hard}; soft taken for hard: {wrong} of {soft}, and {filtered} that filters refused as unknown"
    )
    assert found / hard >= 0.95
    assert (wrong + filtered) / soft <= 0.06
    assert wrong <= 1
