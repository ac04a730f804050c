"""Small values are equal, hashed and sent to another process by what they hold."""

from __future__ import annotations

import copy
import pickle
from dataclasses import field, replace

import pytest

from autocapture.values import value


@value(frozen=True, slots=True)
class Point:
    x: int
    y: int = 0
    names: tuple[str, ...] = field(default=())


def test_values_with_the_same_contents_are_the_same_key() -> None:
    assert Point(1, 2) == Point(1, y=2)
    assert {Point(1, 2): "here"}[Point(1, 2)] == "here"
    assert Point(1, 2) != Point(2, 1)


def test_a_changed_copy_leaves_the_value_as_it_was() -> None:
    point = Point(1, 2, ("a",))
    assert replace(point, y=3) == Point(1, 3, ("a",))
    assert point == Point(1, 2, ("a",))


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_value_arrives_whole_in_another_process(protocol: int) -> None:
    point = Point(1, 2, ("a", "b"))
    assert pickle.loads(pickle.dumps(point, protocol)) == point
    assert copy.deepcopy(point) == copy.copy(point) == point


def test_a_value_takes_no_further_fields() -> None:
    with pytest.raises(AttributeError):
        object.__setattr__(Point(1), "z", 3)
