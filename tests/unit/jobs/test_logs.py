"""Logs hold only what is on the list."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from autocapture.service import logs


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    out = io.StringIO()
    logs.configure_logs(out)
    yield out
    logs.dropped.clear()
    root.handlers, root.level = handlers, level


def test_an_allowed_key_is_written_with_time_and_level(out: io.StringIO) -> None:
    structlog.get_logger().info("captured", account_id=3)
    line = json.loads(out.getvalue())
    assert {"event": "captured", "account_id": 3, "level": "info"}.items() <= line.items()
    assert line["timestamp"].endswith("Z")


def test_a_key_that_is_not_on_the_list_is_dropped_and_counted(out: io.StringIO) -> None:
    structlog.get_logger().info("captured", subject="Angebot", account_id=3)
    assert "Angebot" not in out.getvalue()
    assert json.loads(out.getvalue())["dropped_keys"] == 1
    assert logs.dropped["subject"] == 1


def test_what_a_library_logs_comes_without_its_words(out: io.StringIO) -> None:
    logging.getLogger("some.library").warning("cannot read %s", "erika@example.com")
    line = json.loads(out.getvalue())
    assert line["place"].startswith("some.library:")
    assert "erika" not in out.getvalue()
