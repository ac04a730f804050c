"""Maildir, mbox and folders of .eml through the connector's front door."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.connectors.files.support import Holder, id_of, message, opened, settle, tools

from autocapture.clock import FixedClock
from autocapture.connector import Broken, Gone, ReadsText, Record
from autocapture.errors import ChannelGone, CursorExpired, SetupError
from autocapture_files import files


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    root = tmp_path / "Maildir"
    for folder in ("", ".Sent", ".Archive.2026", ".Drafts", ".Papierkorb", ".Entw&APw-rfe", ".Junk.old"):
        for part in ("new", "cur", "tmp"):
            (root / folder / part).mkdir(parents=True)
    return root


def snapshot_of(root: Path) -> list[tuple[str, int, int]]:
    return sorted((str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in root.rglob("*"))


def test_folders_of_correspondence_are_channels_and_drafts_trash_and_junk_are_not(maildir: Path) -> None:
    with opened(maildir=maildir) as connection:
        assert [(each.id, each.name, each.kind) for each in connection.channels()] == [
            ("maildir:INBOX", "INBOX", "email"),
            ("maildir:.Archive.2026", "Archive/2026", "email"),
            ("maildir:.Sent", "Sent", "email"),
        ]


def test_mail_is_listed_read_and_left_as_it_was(maildir: Path) -> None:
    (maildir / "new" / "1763280753.M1.host").write_bytes(message("one"))
    (maildir / "cur" / "1763280754.M2.host:2,S").write_bytes(message("two", "the text\n"))
    before = snapshot_of(maildir)
    holder = Holder()
    with opened(maildir=maildir) as connection:
        channel = connection.channels()[0]
        holder.drain(connection, channel)
        assert sorted(holder.held) == ["1763280753.M1.host", "1763280754.M2.host"]
        assert holder.subjects(connection, channel) == ["one", "two"]
        [record] = connection.get(channel, ["1763280754.M2.host"])
        assert isinstance(record, Record)
        assert record.data.received_at == datetime(2025, 11, 16, 8, 12, 34, tzinfo=UTC)  # type: ignore[union-attr]
        assert isinstance(connection, ReadsText)
        assert connection.texts(channel, ["1763280754.M2.host", "nothing"]) == {
            "1763280754.M2.host": "the text\n"
        }
    assert holder.pages[-1].complete
    assert snapshot_of(maildir) == before


def test_reading_and_flagging_a_message_changes_nothing(maildir: Path) -> None:
    path = maildir / "new" / "1.A.host"
    path.write_bytes(message("one"))
    holder = Holder()
    with opened(maildir=maildir) as connection:
        channel = connection.channels()[0]
        holder.drain(connection, channel)
        path.rename(maildir / "cur" / "1.A.host:2,RS")
        assert [type(each) for each in connection.get(channel, ["1.A.host", "2.B.host"])] == [Record, Gone]
        holder.drain(connection, channel)
        assert list(holder.pages[-1].items) == []
        assert connection.texts(channel, ["1.A.host"]) == {"1.A.host": "hello\n"}  # type: ignore[attr-defined]


def test_an_unchanged_folder_costs_no_listing(maildir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (maildir / "cur" / "1.A.host:2,S").write_bytes(message("one"))
    settle(maildir / "cur", maildir / "new")
    holder = Holder()
    with opened(maildir=maildir) as connection:
        channel = connection.channels()[0]
        holder.drain(connection, channel)
        cursor = holder.cursor
        monkeypatch.setattr(os, "scandir", lambda *_: pytest.fail("the folder was listed"))
        page = connection.pull(channel, cursor, limit=10)
    assert (list(page.items), page.cursor, page.more, page.complete) == ([], cursor, False, False)


def test_a_folder_that_changed_just_now_is_listed_again(maildir: Path) -> None:
    """Two changes within one tick of the file system's clock leave the same time stamp."""
    (maildir / "cur" / "1.A.host").write_bytes(message("one"))
    status = (maildir / "cur").stat()
    holder = Holder()
    soon = tools(clock=FixedClock(datetime.fromtimestamp(status.st_mtime + 1, UTC)))
    with opened(soon, maildir=maildir) as connection:
        channel = connection.channels()[0]
        holder.drain(connection, channel)
        (maildir / "cur" / "2.B.host").write_bytes(message("two"))
        os.utime(maildir / "cur", ns=(status.st_atime_ns, status.st_mtime_ns))
        holder.drain(connection, channel)
    assert sorted(holder.held) == ["1.A.host", "2.B.host"]


def test_an_expired_or_foreign_cursor_is_refused(maildir: Path) -> None:
    with opened(maildir=maildir) as connection:
        for cursor in (
            "",
            "x",
            "[]",
            '{"v":99}',
            '{"v":2,"stamp":null,"after":null,"known":"!","sums":null}',
        ):
            with pytest.raises(CursorExpired):
                connection.pull(connection.channels()[0], cursor, limit=10)


def test_a_folder_too_large_for_its_cursor_is_still_followed(
    maildir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autocapture_files.cursor.KNOWN_LIMIT", 10)
    for number in range(5):
        (maildir / "cur" / f"{number}.A.host").write_bytes(message(str(number)))
    holder = Holder()
    with opened(maildir=maildir) as connection:
        channel = connection.channels()[0]
        holder.drain(connection, channel, limit=2)
        for number in range(10, 20):
            (maildir / "cur" / f"{number}.A.host").write_bytes(message(str(number)))
        (maildir / "cur" / "0.A.host").rename(maildir / "cur" / "0.A.host:2,S")
        listings = sum(page.complete for page in holder.pages)
        holder.drain(connection, channel, limit=3)
        assert len(holder.held) == 15
        assert sum(page.complete for page in holder.pages) == listings, (
            "additions alone need no new enumeration"
        )
        (maildir / "cur" / "0.A.host:2,S").unlink()
        (maildir / "cur" / "9.A.host").write_bytes(message("9"))
        holder.drain(connection, channel, limit=2)
    assert len(holder.held) == 15
    assert "9.A.host" in holder.held
    assert "0.A.host" not in holder.held


def test_a_vanished_folder_is_gone_and_a_wrong_path_a_matter_of_set_up(maildir: Path) -> None:
    with opened(maildir=maildir) as connection:
        sent = connection.channels()[2]
        os.rename(maildir / ".Sent", maildir / "Sent")
        with pytest.raises(ChannelGone):
            connection.pull(sent, None, limit=10)
    for paths in (
        {"maildir": maildir / "no"},
        {"mbox": maildir},
        {"eml": maildir / "no"},
        {"ics": maildir / "no"},
        {},
    ):
        with pytest.raises(SetupError), opened(**paths):
            pass


def test_odd_files_are_broken_or_passed_over_and_links_out_of_the_folder_are_not_followed(
    maildir: Path,
) -> None:
    outside = maildir.parent / "secret.eml"
    outside.write_bytes(message("secret"))
    (maildir / "cur" / "1.link").symlink_to(outside)
    (maildir / "cur" / "2.loop").symlink_to(maildir / "cur" / "2.loop")
    (maildir / ".Linked").symlink_to(maildir.parent)
    (maildir / "cur" / "3.empty").write_bytes(b"")
    (maildir / "cur" / "4.endless").write_bytes(b"X: " + b"x" * (3 << 20))
    os.mkfifo(maildir / "cur" / "5.fifo")
    (maildir / "cur" / "6.folder").mkdir()
    (maildir / "cur" / "7.inside").symlink_to(maildir / "cur" / "8.good")
    (maildir / "cur" / "8.good").write_bytes(message("good"))
    (maildir / "cur" / os.fsdecode(b"9.\xff\n%")).write_bytes(message("named"))
    holder = Holder()
    with opened(maildir=maildir) as connection:
        channel = connection.channels()[0]
        holder.drain(connection, channel)
        found = {each.id: type(each) for each in connection.get(channel, sorted(holder.held))}
    assert found == {
        "3.empty": Broken,
        "4.endless": Broken,
        "7.inside": Record,
        "8.good": Record,
        "9.%FF%0A%25": Record,
    }


def test_mail_before_the_first_day_in_scope_is_left_out(maildir: Path) -> None:
    (maildir / "cur" / "1763247600.A.host").write_bytes(message("first minute"))  # 2025-11-16 00:00 in Berlin
    (maildir / "cur" / "1763247599.A.host").write_bytes(message("before"))
    holder = Holder()
    with opened(tools(since=date(2025, 11, 16)), maildir=maildir) as connection:
        holder.drain(connection, connection.channels()[0])
    assert list(holder.held) == ["1763247600.A.host"]


class MaildirInUse(RuleBasedStateMachine):
    """Deliveries, reading, deleting and pulling in any order: at rest the holder has exactly what the folder has."""

    def __init__(self) -> None:
        super().__init__()
        self._directory = tempfile.TemporaryDirectory()
        self.root = Path(self._directory.name)
        for part in ("new", "cur", "tmp"):
            (self.root / part).mkdir()
        self.number = 0
        self.holder = Holder()

    def teardown(self) -> None:
        self.check_at_rest(limit=1)
        self._directory.cleanup()

    @rule(count=st.integers(1, 4))
    def deliver(self, count: int) -> None:
        for _ in range(count):
            self.number += 1
            (self.root / "new" / f"{self.number % 7}{self.number}.M.host").write_bytes(
                message(str(self.number))
            )

    @rule(pick=st.integers(0, 50))
    def read_one(self, pick: int) -> None:
        names = sorted(os.listdir(self.root / "new"))
        if names:
            name = names[pick % len(names)]
            (self.root / "new" / name).rename(self.root / "cur" / f"{name}:2,S")

    @rule(pick=st.integers(0, 50))
    def delete_one(self, pick: int) -> None:
        paths = sorted([*(self.root / "new").iterdir(), *(self.root / "cur").iterdir()])
        if paths:
            paths[pick % len(paths)].unlink()

    @rule(limit=st.integers(1, 5))
    def pull_a_page(self, limit: int) -> None:
        with opened(maildir=self.root) as connection:
            self.holder.step(connection, connection.channels()[0], limit)

    @rule(limit=st.integers(1, 5), changes=st.lists(st.integers(-50, 50), min_size=2, max_size=8))
    def an_enumeration_is_overtaken(self, limit: int, changes: list[int]) -> None:
        """Mail comes (a positive number) and goes between its pages and after the last one."""
        self.holder.cursor = None
        with opened(maildir=self.root) as connection:
            channel = connection.channels()[0]
            more = True
            for change in changes:
                more = more and self.holder.step(connection, channel, limit)
                if change > 0:
                    self.deliver(1)
                else:
                    self.delete_one(-change)
        self.check_at_rest(limit)  # the next enumeration would mend what this one missed

    @rule()
    def lose_the_cursor(self) -> None:
        self.holder.cursor = None

    @rule(limit=st.integers(1, 5))
    def come_to_rest(self, limit: int) -> None:
        self.check_at_rest(limit)

    def check_at_rest(self, limit: int) -> None:
        with opened(maildir=self.root) as connection:
            channel = connection.channels()[0]
            self.holder.drain(connection, channel, limit)
            self.holder.drain(
                connection, channel, limit
            )  # what happened during an enumeration follows after it
            present = [
                path.name.partition(":")[0]
                for part in ("new", "cur")
                for path in (self.root / part).iterdir()
            ]
            assert sorted(self.holder.held) == sorted(present)

    @invariant()
    def the_cursor_is_small_text(self) -> None:
        assert self.holder.cursor is None or len(self.holder.cursor) < 80_000


class LargeMaildirInUse(MaildirInUse):
    """The same, with every listing too large for the cursor."""

    def __init__(self) -> None:
        super().__init__()
        self._patch = pytest.MonkeyPatch()
        self._patch.setattr("autocapture_files.cursor.KNOWN_LIMIT", 0)
        self._patch.setattr("autocapture_files.sums.BUCKETS", 2)  # so that changes meet in one bucket

    def teardown(self) -> None:
        super().teardown()
        self._patch.undo()


MaildirInUse.TestCase.settings = settings(max_examples=80, stateful_step_count=25, deadline=None)
LargeMaildirInUse.TestCase.settings = MaildirInUse.TestCase.settings
test_a_maildir_in_use_is_followed_without_loss_or_ghosts = MaildirInUse.TestCase
test_a_large_maildir_in_use_is_followed_without_loss_or_ghosts = LargeMaildirInUse.TestCase


def mbox(*messages: bytes) -> bytes:
    return b"".join(
        b"From a@x.example Mon Nov 16 09:12:33 2026\n" + each.rstrip(b"\n") + b"\n\n" for each in messages
    )


def test_an_mbox_keeps_ids_when_mail_is_deleted_in_the_middle_and_appended(tmp_path: Path) -> None:
    path = tmp_path / "mail.mbox"
    one, two, three = (message(subject) for subject in ("one", "two", "three"))
    path.write_bytes(mbox(one, two, two, three))
    holder = Holder()
    with opened(mbox=path) as connection:
        [channel] = connection.channels()
        holder.drain(connection, channel, limit=2)
        assert holder.subjects(connection, channel) == ["one", "three", "two", "two"]
        before = set(holder.held)
        path.write_bytes(mbox(two, three, message("four")))
        holder.drain(connection, channel)
        assert holder.subjects(connection, channel) == ["four", "three", "two"]
        assert len(before & set(holder.held)) == 2
        [record, *_] = connection.get(channel, sorted(holder.held))
        assert record.data.received_at == datetime(2026, 11, 16, 9, 12, 33, tzinfo=UTC)  # type: ignore[union-attr]


def test_from_lines_inside_a_message_do_not_cut_it(tmp_path: Path) -> None:
    path = tmp_path / "mail.mbox"
    body = (
        "text\nFrom a@x Mon Nov 16 09:12:33 2026 was not quoted\n\nFrom here on\n>From quoted\n>>From twice\n"
    )
    path.write_bytes(mbox(message("one", body), message("two")))
    holder = Holder()
    with opened(mbox=path) as connection:
        [channel] = connection.channels()
        holder.drain(connection, channel)
        assert holder.subjects(connection, channel) == ["one", "two"]
        texts = connection.texts(channel, sorted(holder.held)).values()  # type: ignore[attr-defined]
        assert any("\nFrom quoted\n>From twice" in text and "From here on" in text for text in texts)


def test_a_message_still_being_appended_waits_until_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "mail.mbox"
    whole = mbox(message("one"), message("two"))
    path.write_bytes(whole[:-20])
    holder = Holder()
    with opened(tools(clock=FixedClock(datetime.now(UTC))), mbox=path) as connection:
        [channel] = connection.channels()
        holder.drain(connection, channel)
        assert holder.subjects(connection, channel) == ["one"]
        path.write_bytes(whole)
        holder.drain(connection, channel)
        assert holder.subjects(connection, channel) == ["one", "two"]
    path.write_bytes(whole[:-1])
    settle(path)
    with opened(mbox=path) as connection:
        holder.drain(connection, connection.channels()[0])
        assert len(holder.held) == 2


def test_an_edited_eml_is_a_new_version_and_a_moved_one_a_new_item(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    first, second = tmp_path / "a" / "1.eml", tmp_path / "2.EML"
    first.write_bytes(message("one"))
    second.write_bytes(message("two"))
    (tmp_path / "notes.txt").write_text("not mail")
    holder = Holder()
    with opened(eml=tmp_path) as connection:
        [channel] = connection.channels()
        holder.drain(connection, channel)
        assert sorted(holder.held) == sorted([id_of("2.EML"), id_of("a/1.eml")])
        [record] = connection.get(channel, [id_of("a/1.eml")])
        assert isinstance(record, Record)
        assert record.version == holder.held[id_of("a/1.eml")]
        first.write_bytes(message("one, changed"))
        second.rename(tmp_path / "3.eml")
        holder.drain(connection, channel)
        assert holder.subjects(connection, channel) == ["one, changed", "two"]
        assert sorted(holder.held) == sorted([id_of("3.eml"), id_of("a/1.eml")])
        assert [
            type(each) for each in connection.get(channel, [id_of("2.EML"), "../secret.eml", "/etc/passwd"])
        ] == [Gone] * 3


def test_of_a_message_larger_than_the_cap_only_the_headers_are_read(tmp_path: Path) -> None:
    path = tmp_path / "1.eml"
    with path.open("wb") as file:
        file.write(message("large"))
        file.truncate(65 << 20)
    with opened(eml=tmp_path) as connection:
        [channel] = connection.channels()
        [record] = connection.get(channel, [id_of("1.eml")])
        assert isinstance(record, Record)
        assert (record.data.subject, record.data.size) == ("large", 65 << 20)  # type: ignore[union-attr]
        assert connection.texts(channel, [id_of("1.eml")]) == {}  # type: ignore[attr-defined]


def test_a_large_folder_is_not_listed_again_for_every_page_while_mail_arrives(
    maildir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(40):
        (maildir / "cur" / f"{1_700_000_000 + number}.{number}.host:2,S").write_bytes(message(str(number)))
    listed: list[str] = []

    def regular_files(folder: Path, root: Path) -> Iterator[os.DirEntry[str]]:
        listed.append(folder.name)
        return files.regular_files(folder, root)

    monkeypatch.setattr("autocapture_files.maildir.regular_files", regular_files)
    holder = Holder()
    with opened(maildir=maildir) as connection:
        channel = connection.channels()[0]
        arrived = 0
        while holder.step(connection, channel, limit=5):
            (maildir / "new" / f"{1_800_000_000 + arrived}.{arrived}.host").write_bytes(message("new"))
            arrived += 1
        while holder.step(connection, channel, limit=5):
            pass
    assert listed.count("cur") == 1
    assert len(holder.held) == 40 + arrived
