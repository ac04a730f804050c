"""The calendars of a login: which there are, which of them are captured, and what is known of each before it is read."""

from __future__ import annotations

from dataclasses import dataclass

from autocapture.formats.calendar_zone import zone_of_calendar
from autocapture.formats.charsets import one_line
from autocapture.formats.keys import KEY_BYTES, bounded
from autocapture_caldav.addresses import at, path_of
from autocapture_caldav.multistatus import CALDAV, DAV, SERVER, Response

_NAME_LIMIT = 200
_TOKEN_LIMIT = 2_000
_NOT_CAPTURED = {
    f"{CALDAV}schedule-inbox": "incoming invitations: they are in a calendar too",
    f"{CALDAV}schedule-outbox": "outgoing invitations: they are in a calendar too",
}
_FOREIGN = {
    f"{SERVER}subscribed": "a subscription to somebody else's calendar",
    f"{SERVER}shared": "shared by somebody else",
}


@dataclass(frozen=True, slots=True)
class Calendar:
    """One collection as the server lists it. `path` is its id, `url` where it is asked.

    `token` and `ctag` are its marks, opaque and only compared; None where it has none. `syncs`: it says, or seems, to know
    sync-collection. `only_events`: it can hold nothing but events. `zone` is IANA, of times without one.
    """

    path: str
    url: str
    name: str
    token: str | None
    ctag: str | None
    syncs: bool
    only_events: bool
    zone: str | None


def mark_of(text: str) -> str | None:
    """A mark as it is kept: one of unusual length by its hash."""
    return bounded(text) if text else None


def calendar_of(response: Response, base: str) -> Calendar:
    path = path_of(response.href, base)
    token = response.text(f"{DAV}sync-token")
    components = _components(response)
    return Calendar(
        path=path,
        url=at(base, path),
        name=_name(response, path),
        token=token if 0 < len(token) <= _TOKEN_LIMIT else None,
        ctag=mark_of(response.text(f"{SERVER}getctag")),
        syncs=bool(token) or _reports_changes(response),
        only_events=components == {"VEVENT"},
        zone=zone_of_calendar(
            response.text(f"{CALDAV}calendar-timezone-id"), response.text(f"{CALDAV}calendar-timezone")
        ),
    )


def why_left_out(response: Response, base: str, principal: str | None) -> str | None:
    """Why the collection is not captured; None for a calendar that is, "" for what is no calendar at all."""
    kinds = response.kinds()
    for kind, why in _NOT_CAPTURED.items():
        if kind in kinds:
            return why
    for kind, why in _FOREIGN.items():
        if kind in kinds:
            return why
    if f"{CALDAV}calendar" not in kinds:
        return ""
    components = _components(response)
    if components and "VEVENT" not in components:
        return "it holds no events"
    owner = response.properties.get(f"{DAV}owner")
    owner_href = owner.text_of(f"{DAV}href") if owner else ""
    if principal and owner_href and path_of(owner_href, base).rstrip("/") != principal.rstrip("/"):
        return "shared by somebody else"
    if len(path_of(response.href, base).encode()) > KEY_BYTES:
        return "its address is too long"
    return None


def name_of(response: Response, base: str) -> str:
    return _name(response, path_of(response.href, base))


def _name(response: Response, path: str) -> str:
    shown = one_line(response.text(f"{DAV}displayname"))
    return (shown or path.rstrip("/").rpartition("/")[2] or path)[:_NAME_LIMIT]


def _components(response: Response) -> set[str]:
    """What the collection may hold; empty where it does not say (RFC 4791, 5.2.3: anything)."""
    listed = response.properties.get(f"{CALDAV}supported-calendar-component-set")
    if listed is None:
        return set()
    return {each.attributes.get("name", "").upper() for each in listed.all(f"{CALDAV}comp")} - {""}


def _reports_changes(response: Response) -> bool:
    """Whether ``supported-report-set`` (RFC 3253, 3.1.5) names sync-collection."""
    listed = response.properties.get(f"{DAV}supported-report-set")
    return listed is not None and any(
        report.child(f"{DAV}sync-collection") is not None
        for supported in listed.all(f"{DAV}supported-report")
        for report in supported.all(f"{DAV}report")
    )
