from __future__ import annotations

from datetime import timedelta

import pytest
from tests.unit.cast import NOON, ORGANIZATION, RUTH, mail

from autocapture.admit import reasons
from autocapture.admit.email import admit_email
from autocapture.admit.exclusions import Exclusions
from autocapture.records import Address, EmailRecord


def reason(record: EmailRecord, exclusions: Exclusions | None = None) -> str | None:
    verdict = admit_email(record, RUTH, ORGANIZATION, exclusions or Exclusions())
    assert "@" in verdict.rule
    assert verdict.reason is None or verdict.reason in reasons.REASONS
    return verdict.reason


def test_a_customers_mail_is_admitted() -> None:
    assert reason(mail()) is None


def test_a_mail_to_a_customer_is_admitted_from_an_alias_too() -> None:
    assert reason(mail("r.miller+crm@ours.example", "anna@nordwind.example")) is None


@pytest.mark.parametrize(
    ("headers", "sender", "subject", "expected"),
    [
        ({"content-type": "multipart/report; report-type=delivery-status"}, "x@mx.example", "Hm", "bounce"),
        ({"content-type": 'multipart/report; report-type="feedback-report"'}, "x@mx.example", "Hm", "bounce"),
        (
            {"content-type": "multipart/report; report-type=disposition-notification"},
            "",
            "Read",
            "auto_reply",
        ),
        ({}, "MAILER-DAEMON@mx.example", "Hello", "bounce"),
        ({"x-failed-recipients": "a@b.example"}, "", "Hello", "bounce"),
        ({"return-path": "<>"}, "", "Undelivered Mail Returned to Sender", "bounce"),
        ({"return-path": "<>"}, "", "Something", "notification"),
        ({"auto-submitted": "auto-replied (vacation)"}, "", "Re: The offer", "auto_reply"),
        ({"auto-submitted": "Auto-Generated"}, "", "Your ticket", "notification"),
        ({"x-autoreply": "yes"}, "", "Re: The offer", "auto_reply"),
        ({"x-auto-response-suppress": "All"}, "", "Thank you for your message", "notification"),
        ({"precedence": "bulk"}, "", "News of March", "newsletter"),
        ({"precedence": "list"}, "", "Re: question", "newsletter"),
        ({"list-unsubscribe": "<mailto:out@x.example>"}, "", "News", "newsletter"),
        ({"list-id": "<news.nordwind.example>"}, "", "News", "newsletter"),
        ({"content-type": "text/calendar; method=REQUEST"}, "", "Invitation", "calendar_mail"),
        ({}, "no-reply@shop.example", "Your order", "notification"),
        ({}, "jira-noreply@shop.example", "Issue", "notification"),
        ({}, "calendar-notification@google.com", "Reminder", "notification"),
        ({}, "nicht-antworten@shop.example", "Bestellung", "notification"),
        ({}, "bounces+123@lists.example", "Hello", "notification"),
    ],
)
def test_machine_mail_is_skipped_with_its_reason(
    headers: dict[str, str], sender: str, subject: str, expected: str
) -> None:
    record = mail(sender or "anna@nordwind.example", subject=subject, headers=headers)
    assert reason(record) == expected


@pytest.mark.parametrize(
    ("sender", "subject", "headers"),
    [
        ("anna@nordwind.example", "Fwd: Undelivered Mail Returned to Sender", {}),
        ("anna@nordwind.example", "Undelivered goods", {"content-type": "multipart/mixed; boundary=x"}),
        ("anna@nordwind.example", "Out of office next week, shall we talk before?", {}),
        ("anna@nordwind.example", "Re: Automatic reply: The offer", {"x-auto-response-suppress": "OOF"}),
        ("anna@nordwind.example", "AW: Abwesenheit im August", {"x-auto-response-suppress": "OOF"}),
        ("anna@nordwind.example", "The offer", {"auto-submitted": "no"}),
        ("anna@nordwind.example", "The offer", {"x-auto-response-suppress": "OOF"}),
        ("info@nordwind.example", "The offer", {}),
        ("shop-owner@smallshop.example", "Question", {}),
        ("norepinski@nordwind.example", "The offer", {}),
        ("alertine.weber@nordwind.example", "The offer", {}),
        ("anna@nordwind.example", "The offer", {"return-path": "<anna@nordwind.example>"}),
        ("anna@nordwind.example", "The offer", {"feedback-id": "1.eu-west-1:AmazonSES"}),
    ],
)
def test_a_persons_mail_is_not_taken_for_a_machines(
    sender: str, subject: str, headers: dict[str, str]
) -> None:
    assert reason(mail(sender, subject=subject, headers=headers)) is None


@pytest.mark.parametrize(
    "subject",
    [
        "Out of Office: The offer",
        "Im Urlaub ab Montag",
        "Absence du bureau la semaine prochaine",
        "De vacaciones en agosto",
        "In ferie fino a lunedì",
        "Met vakantie",
        "På semester",
        "Urlop w sierpniu",
        "В отпуске с понедельника",
        "不在のお知らせ",
    ],
)
def test_an_absence_subject_counts_only_together_with_another_sign(subject: str) -> None:
    assert reason(mail(subject=subject)) is None
    assert reason(mail(subject=subject, headers={"x-auto-response-suppress": "All"})) == "auto_reply"
    assert reason(mail(subject=subject, headers={"precedence": "bulk"})) == "auto_reply"


@pytest.mark.parametrize(
    "subject",
    [
        "Automatic reply: The offer",
        "Réponse automatique : offre",
        "自动答复: 报价",
        "Anna Weber is out of the office.",
    ],
)
def test_what_a_mail_system_puts_before_a_subject_is_a_sign_by_itself(subject: str) -> None:
    assert reason(mail(subject=subject)) == "auto_reply"
    assert reason(mail(subject=f"Fwd: {subject}")) is None


def test_an_answer_by_mail_to_an_invitation_of_exchange_is_a_persons() -> None:
    headers = {"x-ms-exchange-calendar-series-instance-id": "BAAAAI"}
    assert reason(mail(headers=headers)) == "calendar_mail"
    assert (
        reason(mail(subject="Accepted: Review", headers=headers, in_reply_to=("1@ours.example",)))
        == "calendar_mail"
    )
    assert reason(mail(subject="RE: Review", headers=headers, in_reply_to=("1@ours.example",))) is None


def test_a_reps_own_bulk_sending_is_admitted() -> None:
    headers = {
        "list-unsubscribe": "<mailto:x@ours.example>",
        "precedence": "bulk",
        "auto-submitted": "auto-generated",
    }
    assert reason(mail("ruth@ours.example", "anna@nordwind.example", headers=headers)) is None


def test_a_reps_own_invitation_is_left_to_the_calendar() -> None:
    record = mail("ruth@ours.example", "anna@nordwind.example", headers={"content-type": "text/calendar"})
    assert reason(record) == "calendar_mail"


def test_a_machine_on_our_own_domain_is_no_rep() -> None:
    assert (
        reason(mail("no-reply@ours.example", "anna@nordwind.example", cc="ruth@ours.example"))
        == "notification"
    )


def test_a_customer_writing_to_a_list_of_ours_is_a_person() -> None:
    headers = {
        "list-id": "Sales <sales.ours.example>",
        "precedence": "list",
        "x-original-from": "Anna <anna@nordwind.example>",
    }
    assert (
        reason(mail("'Anna' via Sales <sales@ours.example>", "sales@ours.example", headers=headers)) is None
    )


def test_a_list_that_rewrites_the_author_names_them_in_reply_to() -> None:
    record = mail(
        "'Anna' via Sales <sales@ours.example>",
        "sales@ours.example",
        headers={"list-id": "<sales.ours.example>"},
        reply_to=(Address("anna@nordwind.example"),),
    )
    assert reason(record) is None


@pytest.mark.parametrize("to", ["sam@ours.example", "somebody@berlin.ours.example, tina+x@ours.example"])
def test_mail_among_ourselves_is_internal(to: str) -> None:
    assert reason(mail("ruth@ours.example", to)) == "internal"


def test_a_note_to_oneself_has_nobody_from_outside() -> None:
    assert reason(mail("ruth@ours.example", "ruth@ours.example")) == "no_external"
    assert reason(mail("ruth@ours.example", "")) == "no_external"


def test_mail_marked_private_is_left_alone() -> None:
    assert reason(mail(headers={"sensitivity": "Private"})) == "private"
    assert reason(mail(headers={"sensitivity": "company-confidential"})) == "private"
    assert reason(mail(headers={"sensitivity": "normal"})) is None


def test_any_listed_party_keeps_a_mail_out() -> None:
    listed = Exclusions(domains=frozenset({"clinic.example"}))
    assert reason(mail(cc="dr@eye.clinic.example"), listed) == "excluded"
    assert reason(mail(), listed) is None


def test_with_all_a_mail_is_kept_out_only_when_everybody_outside_is_listed() -> None:
    listed = Exclusions(handles=frozenset({"dr@clinic.example"}), when="all")
    assert reason(mail(cc="dr@clinic.example"), listed) is None
    assert reason(mail("dr@clinic.example", cc="sam@ours.example"), listed) == "excluded"


def test_a_mail_without_any_time_is_unusable() -> None:
    assert reason(mail(at=None)) == "unusable_time"
    assert reason(mail(at=None, received_at=NOON)) is None
    assert reason(mail(at=NOON + timedelta(days=4000), received_at=NOON)) is None
