"""What is captured stays as it was: contents, names (which hold the flags) and times."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integration.capture.deployment import capture, connect_files, connect_imap, deliver, message
from tests.peers.dovecot import Dovecot

from autocapture.application import Application
from autocapture.workflows.capture import capture_account
from autocapture.workflows.census import take_census


def _state(folder: Path) -> dict[str, tuple[object, ...]]:
    """Every file and folder below: content, size, mode, owner, time of change."""
    found: dict[str, tuple[object, ...]] = {}
    for path in (folder, *sorted(folder.rglob("*"))):
        status = path.stat()
        content = path.read_bytes() if path.is_file() else b""
        name = str(path.relative_to(folder))
        found[name] = (content, status.st_mode, status.st_uid, status.st_nlink, status.st_mtime_ns)
    return found


@pytest.mark.dovecot
@pytest.mark.parametrize("level", ["subject", "full"])
def test_a_mailbox_is_unchanged_by_captures_and_censuses(
    app: Application, dovecot_server: Dovecot, level: str
) -> None:
    login = dovecot_server.new_user()
    for number, flags in enumerate([(), (rb"\Seen",), (rb"\Flagged", rb"\Answered"), (b"$label",)]):
        dovecot_server.append("INBOX", message(number), flags=flags, user=login)
    dovecot_server.append("Sent", message(9, author=f"<{login}>", to="kim@customer.example"), user=login)
    maildir = dovecot_server.folder / "mail" / login / "Maildir"
    before = _messages(maildir)
    assert len(before) == 5
    account = connect_imap(app, dovecot_server, login, level=level)  # type: ignore[arg-type]
    assert capture(app, account).listed == 5
    capture_account(app, account, resync=True)
    assert all(found.equal for found in take_census(app, account))
    assert _messages(maildir) == before
    with dovecot_server.client(login) as client:
        client.select_folder("INBOX", readonly=True)
        flags = client.get_flags(client.search())
        assert sum(rb"\Recent" not in each and rb"\Seen" not in each for each in flags.values()) <= 3
        assert [set(each) & {rb"\Seen"} for each in flags.values()] == [set(), {rb"\Seen"}, set(), set()]


def _messages(maildir: Path) -> dict[str, tuple[object, ...]]:
    """The messages alone: a server's own caches beside them may change by being looked at. A message that nobody ever saw
    moves from `new` to `cur` when a folder is opened for writing, so the folder is part of the name."""
    return {
        name: state
        for name, state in _state(maildir).items()
        if Path(name).parent.name in ("cur", "new", "tmp")
    }


def test_files_are_unchanged_by_captures_and_censuses(app: Application, tmp_path: Path) -> None:
    sources = tmp_path / "sources"
    deliver(sources / "Maildir", message(1), message(2))
    (sources / "Maildir" / "new" / "1.new.host").write_bytes(message(3))
    deliver(sources / "Maildir", message(4), folder="Sent")
    (sources / "letters.mbox").write_bytes(
        b"From kim Mon Nov 16 09:00:00 2026\n" + message(5).replace(b"\r\n", b"\n") + b"\n"
    )
    (sources / "eml").mkdir()
    (sources / "eml" / "6.eml").write_bytes(message(6))
    (sources / "calendar.ics").write_text("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nEND:VCALENDAR\r\n")
    (sources / "Master.csv").write_text("")
    before = _state(sources)
    account = connect_files(
        app,
        maildir=sources / "Maildir",
        mbox=sources / "letters.mbox",
        eml=sources / "eml",
        ics=sources / "calendar.ics",
        calls=sources / "Master.csv",
    )
    assert capture(app, account).listed == 6
    capture_account(app, account, resync=True)
    assert all(found.equal for found in take_census(app, account))
    assert _state(sources) == before
