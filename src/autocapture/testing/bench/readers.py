"""Other programs that read the same folder: each function reads it whole and returns the number of messages."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

from autocapture.formats.mime import HEADER_FIELDS

FIELDS = f"BODY.PEEK[HEADER.FIELDS ({' '.join(HEADER_FIELDS).upper()})]"
BEGINNING = "BODY.PEEK[TEXT]<0.2048>"
_AT_ONCE = 1_000

Reader = Callable[[int, str, str], int]
"""Called with port, user name and password."""


def read_raw(port: int, username: str, password: str) -> int:
    """One FETCH of the header fields and the first 2 kB of text, its bytes thrown away: what the server can do."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        _ask(connection, "a", f"LOGIN {username} {password}")
        opened = _ask(connection, "b", "EXAMINE INBOX")
        _ask(connection, "c", f"UID FETCH 1:* ({FIELDS} {BEGINNING})")
    exists = next(line for line in opened.split(b"\r\n") if line.endswith(b" EXISTS"))
    return int(exists.split()[1])


def _ask(connection: socket.socket, tag: str, command: str) -> bytes:
    """Sends a command and reads to the end of its answer, of which the last 64 kB are returned."""
    connection.sendall(f"{tag} {command}\r\n".encode())
    end = f"\r\n{tag} OK".encode()
    answer = b""
    while end not in answer[-1_000:] or not answer.endswith(b"\r\n"):
        data = connection.recv(1 << 18)
        if not data:
            raise ConnectionError("the server closed the connection")
        answer = (answer + data)[-65_536:]
    return answer


def read_imapclient(port: int, username: str, password: str) -> int:
    """imapclient: the same header fields and first 2 kB, parsed as far as it does so."""
    return _read_by_imapclient(port, username, password, [FIELDS, BEGINNING])


def read_imapclient_headers(port: int, username: str, password: str) -> int:
    """imapclient: the header fields alone, which is all that a capture asks for."""
    return _read_by_imapclient(port, username, password, [FIELDS])


def _read_by_imapclient(port: int, username: str, password: str, items: list[str]) -> int:
    from imapclient import IMAPClient

    with IMAPClient("127.0.0.1", port, ssl=False) as client:
        client.login(username, password)
        client.select_folder("INBOX", readonly=True)
        uids = client.search("ALL")
        return sum(len(client.fetch(chunk, items)) for chunk in _chunks(uids))


def read_imap_tools(port: int, username: str, password: str) -> int:
    """imap-tools in bulk, headers only, and from each message what a capture needs: it parses on demand."""
    from imap_tools import MailBoxUnencrypted

    count = 0
    with MailBoxUnencrypted("127.0.0.1", port).login(username, password) as mailbox:
        for mail in mailbox.fetch(headers_only=True, mark_seen=False, bulk=_AT_ONCE):
            _needed = (
                mail.from_values,
                mail.to_values,
                mail.cc_values,
                mail.subject,
                mail.date,
                mail.headers,
            )
            count += 1
    return count


def _chunks(uids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(uids), _AT_ONCE):
        yield uids[start : start + _AT_ONCE]


READERS: dict[str, Reader] = {
    "raw": read_raw,
    "imapclient": read_imapclient,
    "imapclient, headers": read_imapclient_headers,
    "imap-tools": read_imap_tools,
}
