"""Which calendars of a mailbox are captured: those that its owner keeps."""

from __future__ import annotations

from dataclasses import dataclass, field

from autocapture_microsoft.graph import Graph
from autocapture_microsoft.shape import flag, id_of, member, text

_SELECT = {"$select": "id,name,isDefaultCalendar,canEdit,owner", "$top": "100"}
_MOST = 500


@dataclass(frozen=True, slots=True)
class Found:
    """A calendar to capture. `owner` is the address of its mailbox."""

    id: str
    name: str
    is_default: bool
    owner: str


@dataclass(frozen=True, slots=True)
class Calendars:
    captured: list[Found] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


def find_calendars(graph: Graph) -> Calendars:
    """The default calendar first. A calendar of another mailbox tells what somebody else does; one that its owner cannot
    write into (holidays, birthdays) holds no meetings."""
    items = graph.every(f"{graph.mailbox}/calendars", _SELECT, most=_MOST)
    every = [
        (
            item,
            Found(
                id_,
                text(item, "name") or "?",
                flag(item, "isDefaultCalendar"),
                text(member(item, "owner"), "address"),
            ),
        )
        for item in items
        if (id_ := id_of(item)) is not None
    ]
    owner = next((each.owner.casefold() for _, each in every if each.is_default), "")
    found = Calendars()
    for item, each in every:
        if not each.is_default and owner and each.owner.casefold() != owner:
            found.left_out[each.name] = "somebody else's calendar"
        elif not each.is_default and not flag(item, "canEdit"):
            found.left_out[each.name] = "a calendar that is only read, such as holidays"
        else:
            found.captured.append(each)
    found.captured.sort(key=lambda each: (not each.is_default, each.name))
    return found
