"""Values that cross the stages by the ten thousand: frozen to whoever writes code, plain to the interpreter.

A frozen dataclass sets each field through `object.__setattr__`, and its pickle names each field: four times the time to make,
twice to send to another process. So type checkers see `dataclass` itself and refuse an assignment; at run time the class is
a plain one with slots, equal and hashed by its fields.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any

__all__ = ["value"]

if TYPE_CHECKING:
    from dataclasses import dataclass as value
else:

    def value(*, frozen: bool, slots: bool):
        """Decorates a class of two fields or more, all of them set by `__init__`. Written `@value(frozen=True, slots=True)`."""
        if not (frozen and slots):
            raise TypeError("a value is frozen and has slots")
        return _value


def _value(declared: type) -> type:
    made: Any = dataclass(slots=True, unsafe_hash=True)(declared)
    contents = attrgetter(*(field.name for field in fields(made)))
    made.__reduce__ = lambda self: (made, contents(self))
    return made  # type: ignore[no-any-return]
