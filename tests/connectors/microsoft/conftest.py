"""The fake Graph, with one mailbox."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.connectors.microsoft.account import new_mailbox

from autocapture.testing.fakes.microsoft import FakeGraph, FakeMailbox


@pytest.fixture
def graph() -> Iterator[FakeGraph]:
    with FakeGraph() as running:
        yield running


@pytest.fixture
def mailbox(graph: FakeGraph) -> FakeMailbox:
    return new_mailbox(graph)
