"""Handing a message to the operator's mail server, so that what became of it is known or known to be unknown.

RFC 5321 section 4.2.5: once the reply to the end of DATA has been asked for and not received, nobody can tell whether the
message was accepted. Everything before that is a clean refusal. The outcome is returned as a value, not raised.
"""

from __future__ import annotations

import ipaddress
import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP

from autocapture.errors import SetupError

SENT, FAILED, UNKNOWN = "sent", "failed", "unknown"
TIMEOUT_S = 60.0
_ERROR_LENGTH = 200


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where summaries are handed over. `security`: tls (from the first byte), starttls, or none (loopback only)."""

    host: str
    port: int
    security: str
    sender: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.security not in ("tls", "starttls", "none"):
            raise SetupError(f"SMTP security must be tls, starttls or none, not {self.security!r}")
        if self.security == "none" and not _is_loopback(self.host):
            raise SetupError(
                "SMTP without TLS is only allowed to this machine itself; set security to tls or starttls"
            )


@dataclass(frozen=True, slots=True)
class Handover:
    """What became of one message: sent; failed (it was refused, and may be tried again); unknown (never try again)."""

    state: str
    error: str | None = None


def hand_over(server: MailServer, message: EmailMessage, recipient: str) -> Handover:
    """Give `message` to `server` for `recipient` alone. The certificate of the server is verified."""
    try:
        smtp = _connect(server)
    except (OSError, smtplib.SMTPException) as problem:
        return Handover(FAILED, f"{server.host}:{server.port}: {_words(problem)}")
    try:
        try:
            _envelope(smtp, server.sender, recipient)
        except (OSError, smtplib.SMTPException) as problem:
            return Handover(FAILED, _words(problem))
        return _data(smtp, message)
    finally:
        _leave(smtp)


def _connect(server: MailServer) -> smtplib.SMTP:
    trust = ssl.create_default_context()  # smtplib's own default does not verify
    smtp: smtplib.SMTP
    if server.security == "tls":
        smtp = smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_S, context=trust)
    else:
        smtp = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)
    try:
        if server.security == "starttls":
            smtp.starttls(context=trust)
        smtp.ehlo_or_helo_if_needed()
        if server.username is not None:
            smtp.login(server.username, server.password or "")
    except BaseException:
        smtp.close()
        raise
    return smtp


def _envelope(smtp: smtplib.SMTP, sender: str, recipient: str) -> None:
    for code, reply in (smtp.mail(sender), smtp.rcpt(recipient)):
        if code not in (250, 251):
            raise smtplib.SMTPResponseException(code, reply)


def _data(smtp: smtplib.SMTP, message: EmailMessage) -> Handover:
    try:
        code, reply = smtp.data(message.as_bytes(policy=SMTP))
    except smtplib.SMTPDataError as refused:  # DATA itself was refused: nothing was transmitted
        return Handover(FAILED, _words(refused))
    except (OSError, smtplib.SMTPException) as problem:
        return Handover(UNKNOWN, f"no answer after the message was sent: {_words(problem)}")
    if code == 250:
        return Handover(SENT)
    return Handover(FAILED, _words(smtplib.SMTPResponseException(code, reply)))


def _leave(smtp: smtplib.SMTP) -> None:
    try:
        smtp.quit()
    except (OSError, smtplib.SMTPException):
        smtp.close()


def _words(problem: Exception) -> str:
    if isinstance(problem, smtplib.SMTPResponseException):
        reply = problem.smtp_error
        text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else str(reply)
        words = f"{problem.smtp_code} {text}"
    elif isinstance(problem, ssl.SSLError):
        words = f"TLS: {getattr(problem, 'verify_message', '') or problem.reason}"
    else:
        words = (problem.strerror if isinstance(problem, OSError) else None) or str(problem)
        words = words or type(problem).__name__
    return "".join(letter if letter.isprintable() else " " for letter in words)[:_ERROR_LENGTH]


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
