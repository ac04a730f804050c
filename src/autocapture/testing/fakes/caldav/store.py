"""What the server holds: calendars of resources, and the order in which these changed."""

from __future__ import annotations

from dataclasses import dataclass, field

from autocapture.testing.fakes.source import REP, Source

USER, PASSWORD = "rep", "pw:räp"
HOME = "/dav/rep/"


def event_text(number: int, version: int = 0, *, readable: bool = True, more: str = "") -> str:
    """A meeting of half an hour with one buyer. `more` are further lines of the event."""
    begins = f"202611{2 + number // 20:02}T{number % 20:02}0000Z" if readable else "never"
    lines = (
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//fake//", "BEGIN:VEVENT",
        f"UID:{number}@customer.example", "DTSTAMP:20261101T000000Z", f"SUMMARY:item {number} v{version}",
        f"SEQUENCE:{version}", f"DTSTART:{begins}", "DURATION:PT30M", f"ORGANIZER:mailto:{REP}",
        f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{REP}",
        f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:buyer{number}@customer.example",
        *([more] if more else []), "END:VEVENT", "END:VCALENDAR", "",
    )  # fmt: skip
    return "\r\n".join(lines)


@dataclass(frozen=True, slots=True)
class Resource:
    """`changed` is the number of its last change, its etag too."""

    text: str
    changed: int

    @property
    def component(self) -> str:
        return "VTODO" if "BEGIN:VTODO" in self.text else "VEVENT"


@dataclass(slots=True)
class Collection:
    """One collection below the home. `log` has the number and the name of every change, `changed` the last number."""

    path: str
    name: str
    kinds: str = "<D:collection/><C:calendar/>"
    components: tuple[str, ...] = ()
    more: str = ""
    """Further properties, as XML."""
    resources: dict[str, Resource] = field(default_factory=dict)
    log: list[tuple[int, str]] = field(default_factory=list)
    changed: int = 0


class Store(Source):
    """The collections of one login."""

    def __init__(self) -> None:
        super().__init__()
        self.collections: dict[str, Collection] = {}
        self.sequence = 8
        self.epoch = 0
        """Raised when every token given out so far is to be refused."""

    def make(self, name: str, **more: str | tuple[str, ...]) -> Collection:
        path = f"{HOME}{name}/"
        self.collections[path] = Collection(path, name, **more)  # type: ignore[arg-type]
        return self.collections[path]

    def put(self, collection: Collection, name: str, text: str) -> None:
        collection.resources[name] = Resource(text, self._noted(collection, name))

    def delete(self, collection: Collection, name: str) -> None:
        del collection.resources[name]
        self._noted(collection, name)

    def expire(self) -> None:
        """With the tokens it is forgotten what was deleted."""
        self.epoch += 1
        for collection in self.collections.values():
            collection.log = sorted((each.changed, name) for name, each in collection.resources.items())

    def token(self, sequence: int) -> str:
        return f"data:,{self.epoch}/{sequence}"

    def sequence_of(self, token: str) -> int | None:
        """None for a token that is not known."""
        epoch, _, sequence = token.removeprefix("data:,").partition("/")
        known = epoch == str(self.epoch) and sequence.isdigit()
        return int(sequence) if known else None

    def _noted(self, collection: Collection, name: str) -> int:
        self.sequence += 1
        collection.log.append((self.sequence, name))
        collection.changed = self.sequence
        return self.sequence
