"""One message of the world as the bytes of a mail (RFC 5322, 2045-2047, 2231, 3464, 6047)."""

from __future__ import annotations

import hashlib
from email.charset import BASE64, QP, Charset
from email.header import Header
from email.message import Message as Mail
from email.mime.application import MIMEApplication
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import format_datetime
from email.utils import quote as escape

from autocapture.testing.sample.calendars import invitation_text
from autocapture.testing.world.model import Attachment, Bounce, Message, Party

_POLICY = compat32.clone(linesep="\n", max_line_length=78)


def mail_bytes(message: Message, *, with_bcc: bool) -> bytes:
    """The whole mail with LF line ends. The Bcc header stays only in the sender's own copy."""
    # the values are folded already; the generator would parse and fold each of them again, half of the whole cost
    head = "".join(f"{name}: {value}\n" for name, value in _headers(message, with_bcc=with_bcc))
    return head.encode("ascii") + _body(message).as_bytes(policy=_POLICY)


def _headers(message: Message, *, with_bcc: bool) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = [
        ("From", _parties((message.sender,))),
        ("To", _parties(message.to)),
        ("Date", format_datetime(message.sent_at)),
        ("Message-ID", f"<{message.message_id}>"),
        ("Subject", _text(message.subject, message.charset)),
    ]
    if message.cc:
        found.append(("Cc", _parties(message.cc)))
    if message.bcc and with_bcc:
        found.append(("Bcc", _parties(message.bcc)))
    if message.in_reply_to:
        found.append(("In-Reply-To", f"<{message.in_reply_to}>"))
    if message.references:
        found.append(("References", "\n ".join(f"<{reference}>" for reference in message.references)))
    return [*found, *message.headers]


def _parties(parties: tuple[Party, ...]) -> str:
    """An address list, one address a line; names beyond ASCII as encoded words."""
    return ",\n ".join(_party(party) for party in parties)


def _party(party: Party) -> str:
    if not party.name:
        return party.email
    if party.name.isascii():
        return f'"{escape(party.name)}" <{party.email}>'
    return f"{Header(party.name, 'utf-8').encode()} <{party.email}>"


def _text(value: str, charset: str) -> str:
    """A header text. East Asian programs of today encode headers in UTF-8 even where the body is older."""
    if value.isascii():
        return value
    return Header(
        value, "utf-8" if charset == "big5" else _usable(value, charset), header_name="Subject"
    ).encode()


def _usable(value: str, charset: str) -> str:
    """The wished charset where it can hold the text, else UTF-8."""
    try:
        value.encode(charset)
    except UnicodeEncodeError:
        return "utf-8"
    return charset


def _body(message: Message) -> Mail:
    if message.bounce:
        return _report(message, message.bounce)
    text = _plain(message.text, message.charset)
    if message.invitation:
        calendar = _encoded(invitation_text(message.invitation, message.sent_at), "calendar", "utf-8")
        calendar.set_param("method", message.invitation.method)
        if message.invitation.alone:
            return calendar
        return _multipart(message, "alternative", [text, calendar])
    body: Mail = text
    if message.html:
        body = _multipart(message, "alternative", [text, _encoded(message.html, "html", message.charset)])
    if message.attachments:
        body = _multipart(message, "mixed", [body, *(_attachment(item) for item in message.attachments)])
    return body


def _plain(text: str, charset: str) -> Mail:
    """Plain text; such of ASCII alone goes as it is."""
    if text.isascii():
        return MIMEText(text + "\n", "plain", "us-ascii")
    return _encoded(text + "\n", "plain", charset)


def _encoded(text: str, subtype: str, charset: str) -> Mail:
    """A text part in quoted-printable where most of it is ASCII, else in base64."""
    form = Charset(_usable(text, charset))
    beyond = len(text) - len(text.encode("ascii", "ignore"))
    form.body_encoding = QP if beyond * 6 < len(text) else BASE64
    part = MIMENonMultipart("text", subtype)
    part.set_payload(text, form)
    return part


def _multipart(message: Message, subtype: str, parts: list[Mail]) -> MIMEMultipart:
    """The boundary is made from the Message-ID, so that the same message always has the same bytes."""
    boundary = "=_" + hashlib.sha256(f"{subtype}/{message.message_id}".encode()).hexdigest()[:24]
    return MIMEMultipart(subtype, boundary, parts)


def _attachment(item: Attachment) -> Mail:
    part = MIMEApplication(item.content, item.content_type.split("/")[1])
    if item.filename.isascii():
        part.add_header("Content-Disposition", "attachment", filename=item.filename)
    else:
        part.add_header("Content-Disposition", "attachment", filename=("utf-8", "", item.filename))
    return part


def _report(message: Message, bounce: Bounce) -> Mail:
    """A delivery status notification (RFC 3464)."""
    status = MIMEBase("message", "delivery-status")
    server, recipient = Mail(), Mail()
    server["Reporting-MTA"] = f"dns; {bounce.reporter}"
    recipient["Final-Recipient"] = f"rfc822; {bounce.failed}"
    recipient["Action"] = "failed"
    recipient["Status"] = bounce.status
    recipient["Diagnostic-Code"] = f"smtp; {bounce.diagnostic}"
    status.set_payload([server, recipient])
    returned = MIMEText(
        f"Message-ID: <{bounce.original_id}>\nSubject: {_text(bounce.original_subject, 'utf-8')}\n",
        "rfc822-headers",
        "us-ascii",
    )
    parts: list[Mail] = [_plain(message.text, "utf-8"), status, returned]
    report = _multipart(message, "report", parts)
    report.set_param("report-type", "delivery-status")
    return report
