"""The mail of a sales organisation as headers: conversations with contacts, newsletters, colleagues."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime

from autocapture.testing.bench.mailbox import contact_address

Headers = list[tuple[str, str]]

_MACHINES, _INTERNAL = 0.25, 0.1
_STRANGERS = 0.2
_REPLIES = 0.6
_COPIED = 0.15


def rep_address(number: int) -> str:
    return f"rep{number}@ours.example"


@dataclass(frozen=True, slots=True)
class Mail:
    """One message as it lies in the mailboxes of these reps, by number."""

    at: datetime
    reps: tuple[int, ...]
    sent: bool
    headers: Headers


class Writers:
    """Everybody who writes, from one seed. Conversations go on: three mails in five answer an earlier one."""

    def __init__(self, reps: Sequence[int], contacts: int, *, seed: int = 1) -> None:
        self._chance = random.Random(seed)
        self._reps = reps
        self._contacts = contacts
        self._number = seed * 10_000_000  # nobody writes a Message-ID of another seed
        self._open: list[tuple[int, str, str, tuple[str, ...]]] = []
        """Rep, contact, subject and Message-IDs so far of conversations that may go on."""

    def mails(self, count: int, first: datetime, span: timedelta) -> Iterator[Mail]:
        """`count` messages within `span`, spread by chance, oldest first; one in two mailboxes counts twice."""
        written = 0
        for at in sorted(first + span * self._chance.random() for _ in range(count)):
            if written >= count:
                return
            mail = self.mail(at)
            written += len(mail.reps)
            yield mail

    def mail(self, at: datetime) -> Mail:
        chance, self._number = self._chance, self._number + 1
        rep = chance.choice(self._reps)
        kind = chance.random()
        if kind < _MACHINES:
            sender = f"news@shop{chance.randrange(300)}.example"
            machine = [("List-Unsubscribe", f"<https://shop.example/u/{self._number}>")]
            return Mail(at, (rep,), False, [*self._headers(at, sender, rep_address(rep), "News"), *machine])
        if kind < _MACHINES + _INTERNAL:
            colleague = rep_address(chance.choice(self._reps))
            return Mail(at, (rep,), False, self._headers(at, colleague, rep_address(rep), "Lunch"))
        return self._conversation(at, rep)

    def _conversation(self, at: datetime, rep: int) -> Mail:
        chance = self._chance
        if self._open and chance.random() < _REPLIES:
            rep, contact, subject, ids = self._open.pop(chance.randrange(len(self._open)))
        else:
            stranger = self._contacts if chance.random() < _STRANGERS else 0
            contact = contact_address(stranger + chance.randrange(self._contacts))
            subject, ids = f"Offer {self._number}", ()
        sent = chance.random() < 0.5
        author, reader = (rep_address(rep), contact) if sent else (contact, rep_address(rep))
        headers = self._headers(at, author, reader, f"{'Re: ' * bool(ids)}{subject}")
        if ids:
            headers += [("In-Reply-To", ids[-1]), ("References", " ".join(ids[-8:]))]
        reps: tuple[int, ...] = (rep,)
        other = chance.choice(self._reps)
        if not sent and chance.random() < _COPIED and other != rep:
            reps += (other,)
            headers.append(("Cc", rep_address(other)))
        if len(ids) < 8:
            self._open.append((rep, contact, subject, (*ids, dict(headers)["Message-ID"])))
        return Mail(at, reps, sent, headers)

    def _headers(self, at: datetime, author: str, reader: str, subject: str) -> Headers:
        """With two fields that are never asked for, as relays add them by the dozen."""
        return [
            ("Received", f"from mx.{author.partition('@')[2]} by mx.ours.example; {format_datetime(at)}"),
            ("DKIM-Signature", "v=1; a=rsa-sha256; b=" + "A" * 344),
            ("From", f'"{author.partition("@")[0].title()} Example" <{author}>'),
            ("To", reader),
            ("Subject", subject),
            ("Date", format_datetime(at)),
            (
                "Message-ID",
                f"<{self._number}.{self._chance.getrandbits(48):012x}@{author.partition('@')[2]}>",
            ),
            ("MIME-Version", "1.0"),
        ]
