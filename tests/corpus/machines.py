"""Other mail that no person wrote: newsletters, invitations and their answers, notifications, receipts, delivery reports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_CALENDAR_ID = "BAAAAIIA4AB0xbcQGoLgCAAAAACQ637gw1zVAQAAAAAAAAAAEAAAAMEJzOwVPCdForuIrc7xUKc="
_ALTERNATIVE = "Content-Type: multipart/alternative; boundary=b1"


@dataclass(frozen=True)
class Machine:
    """One mail: what it is, whose program wrote it, and its bytes."""

    kind: str
    system: str
    raw: bytes


_HEADS: tuple[tuple[str, str, str], ...] = (
    (
        "newsletter",
        "Mailchimp",
        "Return-Path: <bounce-mc.us1_9@mail9.mcsv.example>\nFrom: Plant & Process <news@plantprocess.example>\n"
        "Subject: Neues aus der Instandhaltung\nList-Unsubscribe: <https://x.example/u>, <mailto:u@mcsv.example>\n"
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click\nX-Campaign: mailchimp9\nFeedback-ID: 9:9.9:us1:mc",
    ),
    (
        "newsletter",
        "HubSpot",
        "Return-Path: <1axb@bf03x.hubspotemail.example>\nFrom: Jana of Revenue Notes <jana@revenuenotes.example>\n"
        "Subject: Five questions before a demo\nList-Unsubscribe: <https://hs.example/unsub>\nFeedback-ID: aws:hs:1",
    ),
    (
        "newsletter",
        "Mailman",
        "Return-Path: <users-bounces@lists.tools.example>\nFrom: Dieter <dieter@other.example>\nSubject: [users] Re: cranes\n"
        "Precedence: list\nList-Id: Users <users.lists.tools.example>\nX-Mailman-Version: 2.1.39",
    ),
    (
        "newsletter",
        "LISTSERV",
        "Return-Path: <owner-forum@listserv.example>\nFrom: Forum <forum@listserv.example>\nSubject: Digest 14 Mar\n"
        "Precedence: bulk\nList-Unsubscribe: <mailto:forum-unsubscribe@listserv.example>",
    ),
    (
        "newsletter",
        "ezmlm",
        "Return-Path: <dev-return-99-ruth=ours.example@ml.example>\nFrom: Ana <ana@else.example>\nSubject: pumps\n"
        "Mailing-List: contact dev-help@ml.example; run by ezmlm",
    ),
    (
        "newsletter",
        "Google Groups",
        "Return-Path: <crm+bncBAAB@groups.example>\nFrom: Tom <tom@else.example>\nSubject: [crm] who knows?\nPrecedence: list\n"
        "Mailing-list: list crm@groups.example; contact crm+owners@groups.example\nList-ID: <crm.groups.example>",
    ),
    (
        "calendar_mail",
        "Exchange Online, invitation",
        "Return-Path: <kim@customer.example>\nFrom: Kim <kim@customer.example>\nSubject: Review of the line\n"
        f"x-ms-exchange-calendar-series-instance-id: {_CALENDAR_ID}\nThread-Index: AdVc/pFaN9JQT+A+\n{_ALTERNATIVE}",
    ),
    (
        "calendar_mail",
        "Exchange Online, acceptance",
        "Return-Path: <kim@customer.example>\nFrom: Kim <kim@customer.example>\nSubject: Zugesagt: Abnahme\n"
        f"x-ms-exchange-calendar-series-instance-id: {_CALENDAR_ID}\nIn-Reply-To: <i1@ours.example>\n{_ALTERNATIVE}",
    ),
    (
        "calendar_mail",
        "Exchange 2007, invitation",
        "Return-Path: <kim@customer.example>\nFrom: Kim <kim@customer.example>\nSubject: Kick-off\n"
        f"Content-class: urn:content-classes:calendarmessage\n{_ALTERNATIVE}",
    ),
    (
        "calendar_mail",
        "Google Calendar, invitation",
        "Return-Path: <3x@calendar-server.bounces.google.com>\nReply-To: Kim <kim@customer.example>\n"
        "Sender: Google Calendar <calendar-notification@google.com>\nFrom: Kim <kim@customer.example>\n"
        "Subject: Invitation: Review @ Tue Mar 17, 2026 10am (CET) (ruth@ours.example)\nAuto-Submitted: auto-generated\n"
        "Content-Type: multipart/mixed; boundary=b1",
    ),
    (
        "calendar_mail",
        "plain iMIP",
        "Return-Path: <kim@customer.example>\nFrom: Kim <kim@customer.example>\nSubject: Abgelehnt: Termin\n"
        'Content-Type: text/calendar; method=REPLY; charset="utf-8"',
    ),
    (
        "notification",
        "Zoom",
        "Return-Path: <bounces+1@mail.zoom.example>\nFrom: Zoom <no-reply@zoom.example>\nSubject: Kim has joined your meeting",
    ),
    (
        "notification",
        "Jira",
        "Return-Path: <bounce@jira.example>\nFrom: Kim (Jira) <jira@customer.example>\nSubject: [JIRA] (PUMP-14) Leak\n"
        "Precedence: bulk\nAuto-Submitted: auto-generated\nX-JIRA-FingerPrint: 8f14",
    ),
    (
        "notification",
        "OTRS",
        "Return-Path: <>\nFrom: Support <support@customer.example>\nSubject: [Ticket#2026031610000123] Eingangsbestätigung\n"
        "Precedence: bulk\nAuto-Submitted: auto-generated\nX-Powered-By: OTRS 8",
    ),
    (
        "notification",
        "Zendesk",
        "Return-Path: <support@customer.zendesk.example>\nFrom: Customer <support@customer.example>\n"
        "Subject: [Request received] Your offer\nAuto-Submitted: auto-generated\nX-Auto-Response-Suppress: All\n"
        "X-Mailer: Zendesk Mailer",
    ),
    (
        "auto_reply",
        "Freshdesk",
        "Return-Path: <b@fd.example>\nFrom: Help <help@customer.example>\nSubject: Ticket received\n"
        "Auto-Submitted: auto-replied\nX-Auto-Response-Suppress: DR, RN, OOF, AutoReply",
    ),
    (
        "notification",
        "DocuSign",
        "Return-Path: <dse@docusign.example>\nFrom: Kim via DocuSign <dse_na4@docusign.example>\nSubject: Completed: Contract\n"
        "Auto-Submitted: auto-generated\nX-Auto-Response-Suppress: DR, OOF, AutoReply",
    ),
    (
        "newsletter",
        "LinkedIn",
        "Return-Path: <s-1@bounce.linkedin.example>\nFrom: Kim <messages-noreply@linkedin.example>\n"
        "Subject: Kim sent you a message\nList-Unsubscribe: <https://li.example/u>\nFeedback-ID: messages:linkedin",
    ),
    (
        "newsletter",
        "GitHub",
        "Return-Path: <noreply@git.example>\nFrom: kim <notifications@git.example>\nSubject: Re: [plant/plc] Crash (#7)\n"
        "List-ID: plant/plc <plc.plant.git.example>\nPrecedence: list\nX-GitHub-Reason: mention",
    ),
    (
        "auto_reply",
        "Outlook, read receipt",
        "Return-Path: <kim@customer.example>\nFrom: Kim <kim@customer.example>\nSubject: Gelesen: Angebot 4711\n"
        'Content-Type: multipart/report; report-type=disposition-notification; boundary="b1"',
    ),
    (
        "bounce",
        "Exchange Online, undeliverable",
        "Return-Path: <>\nFrom: Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@ours.example>\n"
        'Subject: Unzustellbar: Angebot 4711\nContent-Type: multipart/report; report-type=delivery-status; boundary="b1"\n'
        "Auto-Submitted: auto-replied\nX-MS-Exchange-Message-Is-Ndr:",
    ),
    (
        "bounce",
        "Postfix",
        "Return-Path: <>\nFrom: Mail Delivery System <MAILER-DAEMON@mx.customer.example>\n"
        "Subject: Undelivered Mail Returned to Sender\nAuto-Submitted: auto-replied\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b1"',
    ),
    (
        "bounce",
        "Gmail",
        "Return-Path: <>\nFrom: Mail Delivery Subsystem <mailer-daemon@googlemail.com>\n"
        "X-Failed-Recipients: kim@customer.example\n"
        "Auto-Submitted: auto-replied\nSubject: Delivery Status Notification (Failure)\n"
        'Content-Type: multipart/report; boundary="b1"; report-type=delivery-status',
    ),
    (
        "bounce",
        "Exim, delayed",
        "Return-Path: <>\nFrom: Mail Delivery System <Mailer-Daemon@mx.customer.example>\nAuto-Submitted: auto-replied\n"
        "Subject: Warning: message 1aBcDe-000Abc-Xy delayed 24 hours",
    ),
)


def machines() -> Iterator[Machine]:
    """All of them, always the same."""
    for number, (kind, system, head) in enumerate(_HEADS):
        common = (
            f"To: ruth@ours.example\nDate: Mon, 16 Mar 2026 09:20:00 +0100\nMessage-ID: <machine.{number}@x.example>\n"
            "MIME-Version: 1.0"
        )
        whole = f"{head}\n{common}\n\n--b1\nContent-Type: text/plain\n\nText.\n--b1--\n"
        yield Machine(kind, system, whole.replace("\n", "\r\n").encode())
