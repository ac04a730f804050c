"""Headers, text and cost, on real servers."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.connectors.imap.mailbox import INBOX, Held, Mailbox, Opener, message
from tests.peers.dovecot import dovecot

from autocapture.connector import Broken, Channel, Gone, Record
from autocapture.errors import RecordUnusable
from autocapture.formats.bounce import Failure, failures
from autocapture.formats.mime import parse_headers
from autocapture.records import EmailRecord
from autocapture_imap.connection import ImapConnection

DATA = Path(__file__).parents[4] / "shared" / "data"


def read(connection: ImapConnection, ids: list[str]) -> list[EmailRecord]:
    found = connection.get(INBOX, ids)
    assert all(isinstance(each, Record) and isinstance(each.data, EmailRecord) for each in found)
    return [each.data for each in found if isinstance(each, Record) and isinstance(each.data, EmailRecord)]


def test_a_message_is_read_with_its_headers_the_servers_time_and_its_size(
    box: Mailbox, opened: Opener
) -> None:
    raw = message(7, extra=b"List-Id: <offers.customer.example>\r\nCc: boss@customer.example\r\n")
    received = datetime(2026, 11, 16, 10, 30, tzinfo=UTC)
    box.append(raw, at=received)
    held = Held(opened(box)).drain()
    [record] = read(held.connection, held.ids)
    assert (record.message_id, record.subject, record.received_at) == (
        "7@customer.example",
        "number 7",
        received,
    )
    assert [each.email for each in (*record.from_, *record.to, *record.cc)] == [
        "someone@customer.example", "rep@example.test", "boss@customer.example"
    ]  # fmt: skip
    assert record.headers["list-id"] == "<offers.customer.example>"
    assert (record.size, record.text) == (len(raw), None)


def test_one_answer_comes_for_each_id_also_for_what_is_gone(box: Mailbox, opened: Opener) -> None:
    box.append(*map(message, range(4)))
    held = Held(opened(box)).drain()
    missing = held.ids[1]
    box.expunge(int(missing.partition("/")[2]))
    held.connection = opened(box)
    found = {each.id: each for each in held.connection.get(INBOX, [*held.ids, held.ids[0]])}
    assert set(found) == set(held.ids)
    assert found[missing] == Gone(missing)
    assert sum(isinstance(each, Record) for each in found.values()) == 3


def test_a_message_expunged_under_an_open_session_is_gone(box: Mailbox, opened: Opener) -> None:
    box.append(*map(message, range(3)))
    held = Held(opened(box)).drain()
    box.expunge(held.uids[1])
    kinds = [type(each) for each in held.connection.get(INBOX, sorted(held.ids))]
    assert kinds[0] is kinds[2] is Record
    assert kinds[1] in (Gone, Record)  # some servers keep it readable until the session looks again
    assert len(held.drain().ids) == 2


def test_threads_of_a_server_that_knows_them_are_kept(plain_box: Mailbox, opened: Opener) -> None:
    plain_box.append(message(1))
    held = Held(opened(plain_box)).drain()
    [record] = read(held.connection, held.ids)
    assert record.provider_thread
    assert record.provider_thread.startswith("T")


ALTERNATIVE = (
    b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=o\r\n",
    b"--o\r\nContent-Type: multipart/alternative; boundary=i\r\n\r\n"
    b"--i\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    b"Gr=FC=DFe =\r\naus K=F6ln\r\n--i\r\nContent-Type: text/html\r\n\r\n<p>no</p>\r\n--i--\r\n"
    b"--o\r\nContent-Type: text/plain; name=a.txt\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\n"
    b"attached\r\n--o--\r\n",
)
BASE64 = (
    b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n",
    b"SGFsbMO2Y2hlbiDigqw=\r\n",
)
HTML = (
    b"MIME-Version: 1.0\r\nContent-Type: text/html\r\n",
    b"<html><body><p>Only <b>markup</b></p></body></html>\r\n",
)
IMAGE = (
    b"MIME-Version: 1.0\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n",
    b"AAAA\r\n",
)


def test_text_is_found_in_the_structure_and_decoded(box: Mailbox, opened: Opener) -> None:
    for extra, body in (ALTERNATIVE, BASE64, HTML, IMAGE):
        box.append(message(1, extra=extra, body=body))
    box.append(message(5, body=b"x" * 200_000 + b"\r\n"))
    held = Held(opened(box)).drain()
    texts = held.connection.texts(INBOX, held.ids)
    in_order = [texts.get(id_) for id_ in sorted(held.ids, key=lambda each: int(each.partition("/")[2]))]
    assert in_order[:4] == ["Grüße aus Köln", "Hallöchen €", "Only markup", None]
    assert in_order[4] == "x" * 65_536


BOUNCED = (
    b"MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=r\r\n",
    b"--r\r\nContent-Type: text/plain\r\n\r\nDelivery to the following recipients failed.\r\n"
    b"--r\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.customer.example\r\n\r\n"
    b"Final-Recipient: rfc822; gone@customer.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    b"--r\r\nContent-Type: message/rfc822\r\n\r\nSubject: The offer\r\n\r\nHello\r\n--r--\r\n",
)


def test_the_fields_of_a_delivery_report_follow_its_text(box: Mailbox, opened: Opener) -> None:
    box.append(message(1, extra=BOUNCED[0], body=BOUNCED[1]))
    held = Held(opened(box)).drain()
    [text] = held.connection.texts(INBOX, held.ids).values()
    assert text.startswith("Delivery to the following recipients failed.")
    assert failures(text) == (Failure("gone@customer.example", True, "5.1.1"),)


def test_text_of_what_is_gone_is_left_out(box: Mailbox, opened: Opener) -> None:
    assert opened(box).texts(INBOX, ["1/1", "nonsense"]) == {}


def test_an_idle_pass_costs_at_most_one_request_a_folder(plain_box: Mailbox, opened: Opener) -> None:
    plain_box.create(*(f"Folder {number}" for number in range(20)))
    connection = opened(plain_box)
    held = [Held(connection, channel).drain() for channel in connection.channels()]
    assert len(held) == 21
    before = connection._session.wire.tagnum
    connection.channels()
    for each in held:
        assert not each.pull().items
    assert connection._session.wire.tagnum - before <= 1 + len(held)


@pytest.mark.dovecot
@pytest.mark.usefixtures("dovecot_server")
def test_where_one_list_tells_all_numbers_an_idle_pass_is_one_request(opened: Opener) -> None:
    with dovecot(record=True) as server:
        box = Mailbox(server, server.user)
        box.create(*(f"Folder {number}" for number in range(20)))
        connection = opened(box)
        held = [Held(connection, channel).drain() for channel in connection.channels()]
        server.forget_commands()
        connection = opened(box)
        connection.channels()
        for each in held:
            each.connection = connection
            assert not each.pull().items
        names = [line.split()[1] for line in server.commands()]
        assert sorted(set(names)) == [b"ID", b"LIST", b"NAMESPACE"]
        box.append(message(), to="Folder 3")
        connection.channels()
        assert sum(len(each.pull().items) for each in held) == 1


def test_numbers_of_a_list_serve_one_pull_only(box: Mailbox, opened: Opener) -> None:
    connection = opened(box)
    held = Held(connection, Channel("INBOX", "email")).drain()
    connection.channels()
    held.pull()
    box.append(message())
    assert len(held.pull().items) == 1


@pytest.mark.dovecot
@pytest.mark.skipif(
    not DATA.is_dir(), reason="the real messages beside the repository (shared/data) are absent"
)
def test_every_real_message_is_read_as_from_its_file_or_told_broken(
    dovecot_box: Mailbox, opened: Opener
) -> None:
    files = sorted(DATA.rglob("*.eml"))[:800]
    raws = [path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for path in files]
    with dovecot_box.server.client(dovecot_box.user) as client:
        for start in range(0, len(raws), 100):
            client.multiappend("INBOX", raws[start : start + 100])
    held = Held(opened(dovecot_box)).drain()
    assert len(held.ids) == len(raws)
    answers = {int(each.id.partition("/")[2]): each for each in held.connection.get(INBOX, held.ids)}
    different = []
    for uid, raw in enumerate(raws, 1):
        answer = answers[uid]
        try:
            expected = parse_headers(raw)
        except RecordUnusable:
            assert isinstance(answer, Broken)
            continue
        assert isinstance(answer, Record)
        assert isinstance(answer.data, EmailRecord)
        if (answer.data.message_id, answer.data.from_, answer.data.subject, answer.data.to) != (
            expected.message_id, expected.from_, expected.subject, expected.to
        ):  # fmt: skip
            different.append(files[uid - 1].name)
    assert different == []
    texts = held.connection.texts(INBOX, held.ids)
    assert len(texts) > len(raws) // 2
