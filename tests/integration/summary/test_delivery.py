"""The mail is whole, and is never sent twice."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from tests.integration.summary.mailbox import Mailbox, mailbox
from tests.integration.summary.organization import WEEK
from tests.peers.certificates import make_certificates

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.errors import SetupError
from autocapture.model.measures import Publication
from autocapture.report.smtp import Handover, MailServer, hand_over
from autocapture.workflows.summarize import deliver, deliveries, publish
from autocapture.workflows.weekly import publish_due_summaries

Post = tuple[Application, Publication, Mailbox]


class Killed(BaseException):
    """The process ended here."""


@pytest.fixture
def post(copy: Callable[..., Application]) -> Iterator[Post]:
    with mailbox() as kept:
        app = copy(smtp_port=kept.port)
        yield app, publish(app, team_id=1, week=WEEK), kept


def _states(app: Application, publication: Publication) -> list[tuple[str, str]]:
    return [(one.recipient, one.state) for one in deliveries(app, publication)]


def _later(app: Application, by: timedelta) -> None:
    assert isinstance(app.clock, FixedClock)
    app.clock.advance(by)


def test_the_manager_gets_one_mail_however_often_it_is_sent(post: Post) -> None:
    app, publication, kept = post
    for _ in range(3):
        deliver(app, publication)
    assert kept.recipients == ["eva@ours.example"]
    assert _states(app, publication) == [("eva@ours.example", "sent")]


def test_the_mail_has_text_html_and_charts_with_their_numbers_as_words(post: Post) -> None:
    app, publication, kept = post
    deliver(app, publication)
    (mail,) = kept.messages
    assert mail.get_content_type() == "multipart/alternative"
    text = mail.get_body(("plain",))
    html = mail.get_body(("html",))
    assert text is not None
    assert html is not None
    words, markup = text.get_content(), html.get_content()
    for shown in ("North is at 69", "Anna Berg", "Not known".upper(), "641\N{NO-BREAK SPACE}500"):
        assert shown in words
    assert "69\N{NO-BREAK SPACE}%" in markup.replace("&nbsp;", "\N{NO-BREAK SPACE}")
    pictures = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert len(pictures) == markup.count("<img ") == markup.count('alt="') > 8
    for picture in pictures:
        assert f"cid:{picture['Content-ID'][1:-1]}" in markup
        assert picture.get_content().startswith(b"\x89PNG")
    assert "13 weeks: " in markup
    assert "<style" not in markup.partition("<body")[2]
    assert 'src="http' not in markup


def test_the_headers_say_that_a_machine_wrote_it(post: Post) -> None:
    app, publication, kept = post
    deliver(app, publication)
    (mail,) = kept.messages
    assert mail["Auto-Submitted"] == "auto-generated"
    assert "weekly-summary.ours.example" in mail["List-Id"]
    assert mail["Date"].datetime == app.clock.now()
    assert mail["Message-ID"].startswith("<summary.2026-w46.")
    assert mail["To"].addresses[0].addr_spec == "eva@ours.example"
    assert len(mail.get_all("To")) == len(mail.get_all("Subject")) == 1


def test_death_between_claim_and_sending_leaves_an_unknown_mail_that_is_never_sent(post: Post) -> None:
    app, publication, kept = post

    def dies(_server: MailServer, _mail: EmailMessage, _recipient: str) -> Handover:
        raise Killed

    with pytest.raises(Killed):
        deliver(app, publication, through=dies)
    assert _states(app, publication) == [("eva@ours.example", "sending")]
    _later(app, timedelta(hours=1))
    deliver(app, publication)
    assert _states(app, publication) == [("eva@ours.example", "unknown")]
    assert kept.messages == []


def test_death_between_sending_and_marking_never_leads_to_a_second_mail(post: Post) -> None:
    app, publication, kept = post

    def dies_after(server: MailServer, mail: EmailMessage, recipient: str) -> Handover:
        hand_over(server, mail, recipient)
        raise Killed

    with pytest.raises(Killed):
        deliver(app, publication, through=dies_after)
    for hours in (0, 1, 24):
        _later(app, timedelta(hours=hours))
        deliver(app, publication)
    assert _states(app, publication) == [("eva@ours.example", "unknown")]
    assert len(kept.messages) == 1


def test_two_senders_at_once_send_one_mail(post: Post) -> None:
    app, publication, kept = post
    senders = [threading.Thread(target=deliver, args=(app, publication)) for _ in range(3)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert len(kept.messages) == 1


@pytest.mark.parametrize("refusal", ["550 5.7.1 not wanted", "451 4.3.0 try later"])
@pytest.mark.parametrize("where", ["answer", "recipient_answer"])
def test_a_clean_refusal_is_told_and_tried_again(post: Post, where: str, refusal: str) -> None:
    app, publication, kept = post
    setattr(kept, where, refusal)
    (first,) = deliver(app, publication)
    assert (first.state, first.error) == ("failed", refusal)
    setattr(kept, where, "250 fine")
    (second,) = deliver(app, publication)
    assert (second.state, second.error, len(kept.messages)) == ("sent", None, 1)


def test_the_service_tries_a_refused_mail_again_after_ever_longer_waits(
    copy: Callable[..., Application],
) -> None:
    with mailbox() as kept:
        app = copy(smtp_port=kept.port)
        kept.recipient_answer = "451 4.3.0 try later"
        tried = [minute for minute in _ticks(app, minutes=24 * 60) if _claimed(app) == app.clock.now()]
        assert tried == [0, 5, 10, 20, 40, 80, 160, 320, 560, 800, 1040, 1280]


def test_the_service_mails_what_was_refused_before(copy: Callable[..., Application]) -> None:
    with mailbox() as kept:
        app = copy(smtp_port=kept.port)
        kept.answer = "451 4.3.0 try later"
        for minute in _ticks(app, minutes=60):
            if minute == 30:
                kept.answer = "250 fine"
        assert len(kept.messages) == 1


def _ticks(app: Application, minutes: int) -> Iterator[int]:
    """Asks for what is due every five minutes, as the service does, and gives the minute after each."""
    for minute in range(0, minutes, 5):
        publish_due_summaries(app)
        yield minute
        _later(app, timedelta(minutes=5))


def _claimed(app: Application) -> datetime:
    (delivery,) = deliveries(app, publish(app, team_id=1, week=WEEK))
    return delivery.claimed_at


def test_no_answer_after_the_message_is_unknown_and_not_tried_again(copy: Callable[..., Application]) -> None:
    with _hangs_up_after_data() as (port, received):
        app = copy(smtp_port=port)
        publication = publish(app, team_id=1, week=WEEK)
        deliver(app, publication)
        deliver(app, publication)
    assert _states(app, publication) == [("eva@ours.example", "unknown")]
    assert received == [1]


def test_a_server_that_is_away_is_a_failure_to_be_tried_again(copy: Callable[..., Application]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        app = copy(smtp_port=unused.getsockname()[1])
        (delivery,) = deliver(app, publish(app, team_id=1, week=WEEK))
    assert delivery.state == "failed"


def test_mail_without_tls_goes_to_this_machine_only() -> None:
    with pytest.raises(SetupError, match="TLS"):
        MailServer("mail.example", 25, "none", "summary@ours.example")


def test_a_certificate_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    made = make_certificates(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    listener = socket.create_server(("127.0.0.1", 0))
    server = threading.Thread(target=_shake_hands, args=(listener, context), daemon=True)
    server.start()
    mail_server = MailServer("127.0.0.1", listener.getsockname()[1], "tls", "a@ours.example")
    outcome = hand_over(mail_server, EmailMessage(), "b@ours.example")
    server.join(timeout=5)
    listener.close()
    assert outcome.state == "failed"
    assert outcome.error is not None
    assert outcome.error.startswith("127.0.0.1:")
    assert ": TLS: " in outcome.error


def _shake_hands(listener: socket.socket, context: ssl.SSLContext) -> None:
    connection, _ = listener.accept()
    with connection, suppress(OSError), context.wrap_socket(connection, server_side=True) as secured:
        secured.recv(1)


def test_a_server_without_starttls_is_not_spoken_to_in_the_clear() -> None:
    with mailbox() as kept:
        outcome = hand_over(
            MailServer("127.0.0.1", kept.port, "starttls", "a@ours.example"), EmailMessage(), "b@ours.example"
        )
    assert outcome.state == "failed"
    assert kept.messages == []


class _hangs_up_after_data:
    """A server that takes the whole message and closes the connection instead of answering."""

    def __enter__(self) -> tuple[int, list[int]]:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._received: list[int] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self._listener.getsockname()[1], self._received

    def __exit__(self, *_problem: object) -> None:
        self._listener.close()
        self._thread.join(timeout=5)

    def _serve(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        with connection, connection.makefile("rwb") as stream:
            _say(stream, b"220 here")
            for line in stream:
                if line.upper().startswith(b"DATA"):
                    _say(stream, b"354 go on")
                    while stream.readline() != b".\r\n":
                        pass
                    self._received.append(1)
                    return
                _say(stream, b"250 fine")


def _say(stream, line: bytes) -> None:  # type: ignore[no-untyped-def]
    stream.write(line + b"\r\n")
    stream.flush()
