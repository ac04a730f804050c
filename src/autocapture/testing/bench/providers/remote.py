"""Google as a process of its own, so that its processor time and memory are not taken for ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection

from autocapture.testing.bench.providers.accounts import GOOGLE_SCOPES
from autocapture.testing.bench.providers.mails import Mail, rep_address
from autocapture.testing.fakes.google import FakeGoogle

Deliver = Callable[[Mail], None]


def token_of(address: str) -> str:
    return f"token of {address}"


def deliver(google: FakeGoogle, mail: Mail) -> None:
    """Puts the mail into every mailbox that it lies in."""
    labels = {"SENT"} if mail.sent else {"INBOX", "UNREAD"}
    for rep in mail.reps:
        google.users[rep_address(rep)].mailbox.receive(mail.headers, mail.at, labels=set(labels))


@contextmanager
def google_apart(people: Sequence[str]) -> Iterator[tuple[str, Deliver]]:
    """Its address, and what puts a mail into its mailboxes; everybody in `people` has signed in there."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, list(people)), daemon=True)
    process.start()

    def tell(mail: Mail) -> None:
        ours.send(mail)
        ours.recv()

    try:
        yield str(ours.recv()), tell
        ours.send(None)
        process.join()
    finally:
        process.kill()


def _serve(pipe: Connection, people: Sequence[str]) -> None:
    with FakeGoogle() as google:
        for address in people:
            google.add_user(address)
            google.accept(token_of(address), address, GOOGLE_SCOPES)
        pipe.send(google.url)
        while (mail := pipe.recv()) is not None:
            deliver(google, mail)
            pipe.send(True)
