"""Waiting for arrivals in the open folder: IDLE where the server has it (RFC 2177), one NOOP at the end elsewhere."""

from __future__ import annotations

import re
import time
from datetime import timedelta

from autocapture.errors import Unreachable
from autocapture_imap.faults import expect_ok, passing, server_faults
from autocapture_imap.wire import Wire

_ONE_IDLE = 25 * 60.0  # servers may sign a client out after 30 minutes of silence
_EXISTS = re.compile(rb"\* (\d+) (EXISTS|EXPUNGE)\b", re.IGNORECASE)


def wait_for_news(wire: Wire, messages: int, timeout: timedelta, *, idle: bool) -> bool:
    """Whether a message came or went before the time was over; `messages` is the count now. Raises Unreachable."""
    with server_faults():
        if not idle:
            return _after_noop(wire, messages, timeout.total_seconds())
        deadline = time.monotonic() + timeout.total_seconds()
        while (left := deadline - time.monotonic()) > 0:
            if _one_idle(wire, messages, min(left, _ONE_IDLE)):
                return True
        return False


def _one_idle(wire: Wire, messages: int, seconds: float) -> bool:
    tag = wire._new_tag()
    wire.send(tag + b" IDLE\r\n")
    news = False
    line = b""
    while not line.startswith(b"+"):  # the server may report first
        line = _line(wire, tag)
        news = news or _is_news(line, messages)
    until = time.monotonic() + seconds
    while not news and wire.news_within(max(0.0, until - time.monotonic())):
        wire.restart_deadline()
        news = _is_news(_line(wire, tag), messages)
    wire.send(b"DONE\r\n")
    while not line.startswith(tag):
        line = wire.readline()
        if not line.endswith(b"\n"):
            raise ConnectionError("the connection ended")
        news = news or _is_news(line, messages)
    del wire.tagged_commands[tag]
    return news


def _line(wire: Wire, tag: bytes) -> bytes:
    line = wire.readline()
    if not line.endswith(b"\n"):
        raise ConnectionError("the connection ended")
    if line.startswith(tag) or line[:5].upper() == b"* BYE":
        text = line.decode("utf-8", "replace")
        raise passing(text) or Unreachable("the IMAP server ended the wait")
    return line


def _is_news(line: bytes, messages: int) -> bool:
    found = _EXISTS.match(line)
    if found is None:
        return False
    return found[2].upper() == b"EXPUNGE" or int(found[1]) != messages


def _after_noop(wire: Wire, messages: int, seconds: float) -> bool:
    wire.news_within(seconds)
    expect_ok(*wire.noop())
    exists = wire.untagged_count("EXISTS")
    return wire.untagged_count("EXPUNGE") is not None or exists not in (None, messages)
