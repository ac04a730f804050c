"""A mail server on this machine that keeps what it is given, or refuses it as told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from tests.peers.ports import free_port


@dataclass
class Mailbox:
    """`answer` is what DATA is answered with; `recipient_answer` what RCPT is."""

    answer: str = "250 accepted"
    recipient_answer: str = "250 fine"
    port: int = 0
    recipients: list[str] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # type: ignore[no-untyped-def]
        if self.recipient_answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.recipient_answer

    async def handle_DATA(self, _server, _session, envelope):  # type: ignore[no-untyped-def]
        if self.answer.startswith("250"):
            self.recipients += envelope.rcpt_tos
            self.raw.append(envelope.content)
        return self.answer

    @property
    def messages(self) -> list[EmailMessage]:
        return [message_from_bytes(raw, policy=policy.default) for raw in self.raw]  # type: ignore[misc]


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    kept = Mailbox(port=free_port())
    controller = Controller(kept, hostname="127.0.0.1", port=kept.port)
    controller.start()
    try:
        yield kept
    finally:
        controller.stop()
