"""How the server behaves where real ones differ."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Manners:
    """The defaults are those of a server that keeps every standard.

    `refuses_token`: what it answers to a token that it no longer knows, and whether it says so as RFC 6578 asks;
    `refuses_changes` and `refuses_beginning`: the status that every sync-collection with a token, or without one, ends in.
    `truncates_at`: how many resources it tells of in one sync-collection. `skips_when_truncating`: the token of a first answer
    then leads past what it left out. `weakens`: entity tags are weak where contents go along, as behind a proxy that
    compresses. `strict_depth`: sync-collection is refused with any Depth but 0 (RFC 6578, 3.2). `multiget`: the status it
    refuses calendar-multiget with. `swallows`: of what is gone it says nothing in a multiget. `forgets_to_escape`: what lies
    in a resource comes as it is. `redirects`: where it sends a path on to, with which status. `raw`: what it answers to a
    path, whatever is asked.
    """

    syncs: bool = True
    announces_sync: bool = True
    ctags: bool = True
    etags: bool = True
    weakens: bool = False
    tells_component: bool = True
    escapes_at: bool = False
    doubles: bool = False
    whole_addresses: bool = False
    digest: bool = False
    refuses_token: tuple[int, bool] = (403, True)
    refuses_changes: int | None = None
    refuses_beginning: int | None = None
    truncates_at: int | None = None
    strict_depth: bool = True
    skips_when_truncating: bool = False
    multiget: int | None = None
    swallows: bool = False
    forgets_to_escape: bool = False
    redirects: dict[str, tuple[int, str]] = field(default_factory=dict)
    raw: dict[str, tuple[int, str, bytes]] = field(default_factory=dict)
