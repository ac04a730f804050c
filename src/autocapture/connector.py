"""The contract between the engine and a connector: six ideas, and what each promises.

A connector is one import package under the entry-point group ``autocapture.connectors``. It owns its provider and nothing
else: it never sleeps, never retries beyond once, never writes to the source, never touches the database. The engine owns
transactions, leases, back-off, rate limits, quarantine, sweeps, identity, admission and matching.

Promises of `Connection.pull`:

- The watermark is read before anything is listed.
- A page is complete in itself: once it is stored, its cursor may be stored.
- `Page.complete` is True only on the page that ends an authoritative enumeration (one that began with cursor None and listed
  everything in scope). Absence means removal only then.
- A listed item that cannot be read is `Broken`, never an exception that takes its page along.
- An unchanged channel answers an empty page at next to no cost.

`autocapture.testing.ConnectorContract` checks all of this, for a third party's connector too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel

from autocapture.clock import Clock
from autocapture.errors import SetupError
from autocapture.records import Kind, RecordData
from autocapture.values import value

if TYPE_CHECKING:
    import requests

OptionsT = TypeVar("OptionsT", bound=BaseModel)

Cursor = str
"""Opaque text, made by the connector, only stored and handed back. It survives a restart; an old form is `CursorExpired`."""


@dataclass(frozen=True, slots=True)
class Channel:
    """The smallest thing with its own cursor: a mail folder, a calendar, a call log. `id` is the provider's.

    `whose` is the address of the one person whose it is, where an account holds the channels of several: the engine reads it
    only while that person is connected here."""

    id: str
    kind: Kind
    name: str = ""
    whose: str = ""


@value(frozen=True, slots=True)
class Record:
    """An item read whole. `version` changes whenever the content does (None: the item never changes)."""

    id: str
    data: RecordData
    version: str | None = None


@value(frozen=True, slots=True)
class Ref:
    """An item listed but not read. The engine reads only ids and versions that it does not hold yet."""

    id: str
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Gone:
    """The item left this channel. Not: it was deleted."""

    id: str


@dataclass(frozen=True, slots=True)
class Broken:
    """The item exists but cannot be read. `why` is one line without content."""

    id: str
    why: str
    version: str | None = None


Item = Record | Ref | Gone | Broken


@dataclass(frozen=True, slots=True)
class Page:
    """What one transaction stores: items and the cursor after them. `more`: pull again at once (also with no items)."""

    items: Sequence[Item]
    cursor: Cursor
    more: bool = False
    complete: bool = False


CaptureLevel = Literal["metadata", "subject", "full"]


@dataclass(frozen=True, slots=True)
class Auth:
    """How an account proves itself: `none` for local files, `password` for a sealed user name and password, `oauth` for a grant
    that its owner gave at `provider` (a name that `connect.oauth` knows), with the scopes that each capture level needs.

    `by_organisation`: no person can grant these, only the organisation to the application; an administrator connects it."""

    method: Literal["none", "password", "oauth"]
    provider: str = ""
    scopes: Mapping[CaptureLevel, tuple[str, ...]] = field(default_factory=dict)
    by_organisation: bool = False


@dataclass(frozen=True, slots=True)
class PasswordCredential:
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Grant:
    """What an account's owner granted at an OAuth provider.

    `subject` is the provider's unchanging name of the login (`sub`, `oid`), `address` its mailbox, `scopes` what was really
    granted. `access_token(fresh)` gives a bearer token that is valid now; `fresh=True` asks for a new one, after the provider
    refused the last. It raises CredentialRejected where the grant is dead, Unreachable or RateLimited where the provider's
    token endpoint is.
    """

    subject: str
    address: str
    scopes: frozenset[str]
    access_token: Callable[[bool], str] = field(repr=False)


Credential = PasswordCredential | Grant | None


class Meter(Protocol):
    """The budget of requests at a provider, shared by all workers. What a method costs is the operator's configuration."""

    def take(self, method: str, want: int = 1, least: int = 1) -> int:
        """How many calls of `method` may be made now: at least `least`, at most `want`. They count as made.

        Raises RateLimited, naming the time after which `least` calls can be had.
        """
        ...

    def give_back(self, method: str, calls: int) -> None:
        """Returns calls that were taken and not made."""
        ...


class Unmetered:
    """A provider that sets no limit."""

    def take(self, method: str, want: int = 1, least: int = 1) -> int:
        return want

    def give_back(self, method: str, calls: int) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Tools:
    """What the engine lends to a connection. `dial_allowed(host_ip)` tells whether an address may be connected to;
    `since` bounds the backfill (items before it are out of scope); `time_zone` is the rep's zone, for sources that write
    local times without one; `level` is what may be asked for; `http()` opens a session that dials only what is allowed, with
    time limits and a bound on answers (`connect.http`); `meter` is asked before each request that the provider counts."""

    clock: Clock
    since: date | None = None
    time_zone: str = "UTC"
    timeout: timedelta = timedelta(seconds=60)
    dial_allowed: Callable[[str], bool] = field(default=lambda _ip: True)
    level: CaptureLevel = "subject"
    http: Callable[[], requests.Session] = field(default=lambda: _no_http())
    meter: Meter = field(default_factory=Unmetered)


def _no_http() -> requests.Session:
    raise SetupError("this connector was lent no HTTP session")


class Connection(Protocol):
    """An open session with one connected account."""

    def channels(self) -> Sequence[Channel]:
        """Every channel in scope now, discovered anew at each call."""
        ...

    def pull(self, channel: Channel, cursor: Cursor | None, *, limit: int) -> Page:
        """What changed since `cursor`; an enumeration of everything in scope when it is None. At most about `limit` items.

        Raises CursorExpired, ChannelGone, RateLimited, ReconnectNeeded, Unreachable.
        """
        ...

    def get(self, channel: Channel, ids: Sequence[str]) -> Sequence[Record | Gone | Broken]:
        """The items named, one answer for each id, in any order. `Gone` for what is no longer there."""
        ...


@runtime_checkable
class ReadsText(Protocol):
    """A connection that can read the text of messages apart from their headers (capture level *full*)."""

    def texts(self, channel: Channel, ids: Sequence[str]) -> dict[str, str]:
        """Plain text by id, at most 64 KiB each; an id without readable text is left out."""
        ...


@runtime_checkable
class KeepsChannels(Protocol):
    """A connection that spends requests on listing its channels and on nothing else. Between two listings those that are known
    are pulled; one that has gone meanwhile says so (ChannelGone)."""

    channels_for: timedelta
    """How long a listing stands, and so how long a new channel may wait to be found."""


@runtime_checkable
class LeavesOut(Protocol):
    """A connection that can name what of its account it never captures, for whoever asks whether all is there."""

    def left_out(self) -> Mapping[str, str]:
        """The reason, in a few words, by the name of each folder or calendar that `channels` does not list."""
        ...


@runtime_checkable
class Forgets(Protocol):
    """A connection whose provider keeps items for a time only. What is older has not left: it is told of no more."""

    def remembers_since(self, channel: Channel) -> datetime:
        """Of what happened before this, the provider may say nothing."""
        ...


@runtime_checkable
class ListsInPart(Protocol):
    """A connection over several sources, of which one may be unusable while the others are captured."""

    def unlisted(self) -> Mapping[str, SetupError]:
        """What is wrong with the sources whose channels `channels` could not list, by how the ids of those begin: up to the
        first colon. They are not gone, and a `pull` of one raises the same."""
        ...


@runtime_checkable
class Waits(Protocol):
    """A connection that can wait for news instead of being polled (IMAP IDLE)."""

    def wait(self, channel: Channel, timeout: timedelta) -> bool:
        """Blocks until the provider reports news (True) or the time is over (False). Only a hint to pull."""
        ...


@dataclass(frozen=True, slots=True)
class Callback:
    """Where a provider is to send its notices: `target` is an HTTPS address, or a topic's name where the provider publishes to
    topics; `secret` comes back with each notice; `lifecycle` is where notices about the subscription itself go."""

    target: str
    secret: str = field(repr=False)
    lifecycle: str = ""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A provider's promise to send notices until `expires_at`. `id` is the provider's; `state` is the connector's own."""

    id: str
    expires_at: datetime
    state: str = ""


@runtime_checkable
class Watches(Protocol):
    """A connection whose provider sends notices. A notice is only a hint to pull."""

    def watch(self, channel: Channel, callback: Callback) -> Subscription | None:
        """Subscribes; None where this channel cannot be watched."""
        ...

    def renew(self, channel: Channel, subscription: Subscription, callback: Callback) -> Subscription:
        """Prolongs, or subscribes anew where the provider forgot it."""
        ...

    def unwatch(self, channel: Channel, subscription: Subscription) -> None:
        """Ends it; one that the provider no longer knows is ended."""
        ...


@dataclass(frozen=True, slots=True)
class Count:
    """How much a channel holds. `by_year` is exact where the provider can count by date; `total` alone where it cannot;
    None where it cannot count at all. `method` is the metered call (`Meter`) that reading takes, `at_once` how many items one
    such call brings: from both follows how long an import lasts. `text_method` is the call that the text of one item takes, where
    it is read apart.

    `dated` is for who cannot count by date but can look at some: pairs of a moment and how many items came in from then on, the
    newest first; where the last of them is not `total`, the rest is older. `folders` tells of parts of the channel that its owner
    knows by name; items may lie in several."""

    channel: Channel
    total: int | None
    by_year: Mapping[int, int] = field(default_factory=dict)
    method: str = ""
    at_once: int = 1
    text_method: str = ""
    dated: Sequence[tuple[datetime, int]] = ()
    folders: Mapping[str, int] = field(default_factory=dict)


@runtime_checkable
class Counts(Protocol):
    """A connection that can say how much there is before anything is read."""

    def count(self, channel: Channel) -> Count: ...


@runtime_checkable
class TellsNewest(Protocol):
    """A connection that can say, in one cheap request, when the newest item of a channel came in: the proof that a quiet channel
    is quiet."""

    def newest(self, channel: Channel) -> datetime | None:
        """The provider's time of the newest item in scope; None where there is none."""
        ...


class Connector(Protocol[OptionsT]):
    """What an entry point names. `options` become the flags of `connect` and the fields of the connect page."""

    name: str
    kinds: frozenset[Kind]
    auth: Auth
    options: type[OptionsT]

    def open(
        self, options: OptionsT, credential: Credential, tools: Tools
    ) -> AbstractContextManager[Connection]: ...
