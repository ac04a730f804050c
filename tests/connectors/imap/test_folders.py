"""Which folders are captured."""

from __future__ import annotations

import time

import pytest
from imapclient.imap_utf7 import encode as encode_utf7
from tests.connectors.imap.mailbox import Held, Mailbox, Opener, message, talking_to
from tests.peers.scripted_imap import scripted_imap

from autocapture.connector import Channel
from autocapture.errors import ChannelGone
from autocapture_imap.folder_names import NAMES
from autocapture_imap.folders import Listed, choose


def folder(name: str, *flags: str, delimiter: str = "/") -> Listed:
    return Listed(encode_utf7(name).decode(), frozenset(flag.lower() for flag in flags), delimiter)


def chosen(*listed: Listed, foreign: tuple[str, ...] = ()) -> list[str]:
    return [each.display_name for each in choose(listed, foreign).captured]


def test_every_mail_folder_is_captured_but_drafts_junk_and_trash() -> None:
    assert chosen(
        folder("Customers"), folder("Bin", "\\Trash"), folder("Spam", "\\Junk"), folder("Notes", "\\Drafts"),
        folder("Out", "\\Sent"), folder("INBOX"), folder("Archive", "\\Archive"),
    ) == ["INBOX", "Out", "Archive", "Customers"]  # fmt: skip


def test_each_folder_that_is_left_out_has_its_reason() -> None:
    listed = [
        folder("INBOX"), folder("Bin", "\\Trash"), folder("Bin/2025"), folder("Spam", "\\Junk"), folder("Notes", "\\Drafts"),
        folder("Shared/info"), folder("Nothing", "\\Noselect"),
    ]  # fmt: skip
    reasons = {each.display_name: why for each, why in choose(listed, ("Shared/",)).left_out}
    assert reasons == {
        "Bin": "deleted mail",
        "Bin/2025": "it lies below Bin",
        "Spam": "junk mail",
        "Notes": "drafts",
        "Shared/info": "other people's or shared mail",
    }
    gmail = choose([folder("INBOX"), folder("All", "\\All")])
    assert [each.display_name for each, _why in gmail.left_out] == ["INBOX"]


def test_folders_that_hold_no_messages_are_left_out() -> None:
    assert chosen(folder("INBOX"), folder("[Gmail]", "\\Noselect"), folder("Ghost", "\\NonExistent")) == [
        "INBOX"
    ]


def test_a_folder_of_all_mail_is_captured_alone() -> None:
    assert chosen(folder("INBOX"), folder("[Gmail]/Alle Nachrichten", "\\All"), folder("Sent", "\\Sent")) == [
        "[Gmail]/Alle Nachrichten"
    ]


def test_flags_go_before_names() -> None:
    assert chosen(folder("INBOX"), folder("Trash"), folder("Bin", "\\Trash")) == ["INBOX", "Trash"]


def test_what_lies_below_the_trash_is_trash() -> None:
    assert chosen(
        folder("INBOX"), folder("INBOX.Trash", delimiter="."), folder("INBOX.Trash.old", delimiter=".")
    ) == ["INBOX"]


def test_other_peoples_and_shared_folders_are_left_out() -> None:
    assert chosen(folder("INBOX"), folder("Other Users/bob/INBOX"), foreign=("Other Users/",)) == ["INBOX"]


@pytest.mark.parametrize(
    "name",
    ["Sent Items", "Gesendet", "Gesendete Elemente", "Verzonden items", "Skickat", "Éléments envoyés", "Enviados",
     "Posta inviata", "Wysłane", "Odeslaná pošta", "Отправленные", "送信済みアイテム", "已发送", "寄件備份", "보낸편지함",
     "Sendte elementer", "Lähetetyt", "Gönderilmiş Öğeler", "Απεσταλμένα", "Elküldött elemek", "פריטים שנשלחו",
     "العناصر المرسلة", "Надіслані"],
)  # fmt: skip
def test_sent_mail_is_known_by_its_name_in_many_languages(name: str) -> None:
    assert chosen(folder("A"), folder(name), folder("INBOX")) == ["INBOX", name, "A"]


@pytest.mark.parametrize(
    "name",
    ["Entwürfe", "Papierkorb", "Spamverdacht", "Concepten", "Prullenbak", "Skräppost", "Corbeille", "Brouillons",
     "Lixeira", "Cestino", "Kosz", "Корзина", "ゴミ箱", "下書き", "垃圾邮件", "草稿箱", "휴지통", "Koš", "Önemsiz",
     "INBOX/Deleted Messages", "טיוטות", "المهملات"],
)  # fmt: skip
def test_drafts_junk_and_trash_are_known_by_their_names(name: str) -> None:
    assert chosen(folder(name), folder("INBOX")) == ["INBOX"]


def test_no_name_has_two_roles_and_enough_languages_are_known() -> None:
    assert sum(role == "sent" for role in NAMES.values()) >= 60
    assert set(NAMES.values()) == {"sent", "drafts", "junk", "trash"}
    assert "" not in NAMES


@pytest.mark.parametrize(
    "name",
    ["Kunden & Partner", 'say "hi"', "100% *sure*", "back\\slash", "Ångström", "日本語", "a b", "{5}", "(list)", "NIL",
     "12345", "007", "a[b", "x]y[z", "a]"],
)  # fmt: skip
def test_odd_folder_names_travel_unharmed(box: Mailbox, opened: Opener, name: str) -> None:
    box.create(name)
    box.append(message(1), to=name)
    connection = opened(box)
    channel = next(each for each in connection.channels() if each.name == name)
    held = Held(connection, channel).drain()
    assert len(held.ids) == 1
    assert not held.pull().items
    assert len(connection.get(channel, held.ids)) == 1


def test_a_folder_name_with_control_characters_is_never_sent_back() -> None:
    evil = b'* LIST () "/" {21}\r\nx"\r\nA1 DELETE "INBOX"\r\n* LIST () "/" INBOX\r\n%T OK done\r\n'
    with scripted_imap({"LIST": evil}) as server, talking_to(server) as connection:
        assert [channel.id for channel in connection.channels()] == ["INBOX"]
        with pytest.raises(ChannelGone):
            connection.pull(Channel('INBOX"\r\nA1 DELETE "INBOX', "email"), None, limit=5)
        assert not any("DELETE" in line for line in server.received)


@pytest.mark.dovecot
def test_special_use_of_a_real_server_decides(dovecot_box: Mailbox, opened: Opener) -> None:
    dovecot_box.create("Projects", "Projects/Acme", "Trash/old")
    assert [channel.id for channel in opened(dovecot_box).channels()] == [
        "INBOX",
        "Sent",
        "Projects",
        "Projects/Acme",
    ]


def test_folders_are_discovered_anew_at_each_call(box: Mailbox, opened: Opener) -> None:
    connection = opened(box)
    before = {channel.id for channel in connection.channels()}
    box.create("Later")
    assert {channel.id for channel in connection.channels()} - before == {"Later"}


def test_thousands_of_folders_are_chosen_in_no_time() -> None:
    listed = [Listed(f"a/{number}", frozenset(), "/") for number in range(4_000)]
    before = time.process_time()
    assert len(choose([*listed, Listed("a", frozenset({"\\trash"}), "/")]).left_out) == 4_001
    assert time.process_time() - before < 2
