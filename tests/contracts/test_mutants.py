"""The suite bites: every bug planted in a connector or in the engine is found by its search."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.contracts import broken_engine
from tests.contracts.broken_connectors import BROKEN_CONNECTORS, MISSED

from autocapture.testing.fakes.feed import FeedWorld
from autocapture.testing.fakes.uids import UidWorld
from autocapture.testing.fakes.window import WindowWorld
from autocapture.testing.machine import make_machine, search
from autocapture.testing.source_world import SourceWorld

MOST_EXAMPLES = 40
STEPS = 12
"""Of one example: many short ones find more than a few long ones."""

FOUND_AFTER_LONGER = frozenset(
    {
        "poison fails its page",
        "every page of a listing is called complete",
        "pages are cut by offset",
        "the folder's count is read after listing",
        "the watermark is the clock at the end",
        "advances_past_a_failed_fetch",
        "commits_the_cursor_before_the_records",
        "makes_another_activity_of_every_reading",
        "forgets_to_read_poison_again",
    }
)
"""Those that take more than some twenty examples: too dear for every test run."""

BROKEN_ENGINES: list[tuple[Callable[[pytest.MonkeyPatch], None], type[Any], str]] = [
    (broken_engine.advances_past_a_failed_fetch, UidWorld, "lost"),
    (broken_engine.resets_without_a_sweep, UidWorld, "ghost|doubled"),
    (broken_engine.commits_the_cursor_before_the_records, FeedWorld, MISSED),
    (broken_engine.deletes_the_activity_of_what_left_a_channel, UidWorld, "lost: .*no activity"),
    (broken_engine.writes_blindly, WindowWorld, "does not come to rest: .*ended ok"),
    (broken_engine.makes_another_activity_of_every_reading, UidWorld, "doubled|became another activity"),
    (broken_engine.wipes_the_store_at_a_reset, FeedWorld, "disappeared"),
    (broken_engine.ignores_the_fence, FeedWorld, "without its lease"),
    (broken_engine.forgets_to_read_poison_again, UidWorld, "ghosts: .*in quarantine"),
]


def what_is_found(make_world: Callable[[Path], SourceWorld], root: Path) -> str:
    """The promise that the suite's search finds broken. AssertionError when it found nothing."""
    machine = make_machine(make_world, root)
    try:
        search(machine, max_examples=MOST_EXAMPLES, steps=STEPS, shrink=False, derandomize=True)
    except AssertionError as found:
        promise = str(found).splitlines()[0]
        print(f"found in example {machine.examples - 1}: {promise[:200]}")  # replayed once
        return promise
    raise AssertionError(f"{MOST_EXAMPLES} examples found nothing")


def _longer(name: str) -> list[pytest.MarkDecorator]:
    return [pytest.mark.soak] if name in FOUND_AFTER_LONGER else []


@pytest.mark.parametrize("name", [pytest.param(name, marks=_longer(name)) for name in BROKEN_CONNECTORS])
def test_a_broken_connector_is_found(name: str, tmp_path: Path) -> None:
    world, connection, promise = BROKEN_CONNECTORS[name]
    assert re.search(promise, what_is_found(lambda _: world(connection=connection), tmp_path))


@pytest.mark.parametrize(
    ("plant", "world", "promise"),
    [
        pytest.param(*planted, id=planted[0].__name__, marks=_longer(planted[0].__name__))
        for planted in BROKEN_ENGINES
    ],
)
def test_a_broken_engine_is_found(
    plant: Callable[[pytest.MonkeyPatch], None],
    world: type[Any],
    promise: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plant(monkeypatch)
    assert re.search(promise, what_is_found(world, tmp_path))
