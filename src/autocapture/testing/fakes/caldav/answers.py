"""What the server answers to PROPFIND, REPORT and GET, as XML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from autocapture.testing.fakes.caldav.manners import Manners
from autocapture.testing.fakes.caldav.store import HOME, Collection, Store

PRINCIPAL = "/dav/principals/rep/"
_HEAD = (
    '<?xml version="1.0" encoding="utf-8"?><D:multistatus xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
    ' xmlns:S="http://calendarserver.org/ns/">'
)
_DAV, _CALDAV = "{DAV:}", "{urn:ietf:params:xml:ns:caldav}"


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes = b""
    kind: str = "application/xml; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


def refusal(status: int, condition: str = "") -> Reply:
    inside = f"<D:{condition}/>" if condition else ""
    return Reply(status, f'<?xml version="1.0"?><D:error xmlns:D="DAV:">{inside}</D:error>'.encode())


class Answers:
    """Answers questions over one store. The store may change in the middle of any of them (`Store.step`)."""

    def __init__(self, store: Store, manners: Manners, address: str) -> None:
        self._store = store
        self._manners = manners
        self._address = address

    def answer(self, method: str, path: str, body: bytes, depth: str | None) -> Reply:
        self._store.request()
        if method == "GET":
            return self._get(path)
        try:
            asked = ElementTree.fromstring(body)  # noqa: S314 - the connector under test asks
        except ElementTree.ParseError:
            return refusal(400)
        if method == "PROPFIND":
            return self._propfind(path, asked, depth)
        collection = self._store.collections.get(path)
        if collection is None:
            return refusal(404)
        if asked.tag == f"{_DAV}sync-collection":
            return self._sync(collection, asked, depth)
        if asked.tag == f"{_CALDAV}calendar-multiget":
            return self._multiget(collection, asked)
        if asked.tag == f"{_CALDAV}calendar-query":
            return self._query(collection, asked)
        return refusal(403, "supported-report")

    def _propfind(self, path: str, asked: ElementTree.Element, depth: str | None) -> Reply:
        if depth not in ("0", "1"):
            return refusal(403, "propfind-finite-depth")
        wanted = {each.tag for each in asked.findall(f"{_DAV}prop/*")}
        if path in ("/", "/.well-known/caldav", "/dav/", PRINCIPAL, HOME):
            found = [self._response(path, self._of_login())]
            if path == HOME and depth == "1":
                found += [
                    self._response(each.path, self._of(each)) for each in self._store.collections.values()
                ]
            self._store.step()
            return self._multistatus(found)
        collection = self._store.collections.get(path)
        if collection is None:
            return refusal(404)
        marks = self._response(path, self._of(collection))
        self._store.step()
        names = sorted(collection.resources) if depth == "1" else []
        items = [self._item(collection, name, wanted) for name in names]
        self._store.step()
        return self._multistatus([marks, *(items * 2 if self._manners.doubles else items)])

    def _of_login(self) -> str:
        return (
            "<D:resourcetype><D:collection/></D:resourcetype>"
            f"<D:current-user-principal><D:href>{PRINCIPAL}</D:href></D:current-user-principal>"
            f"<C:calendar-home-set><D:href>{HOME}</D:href></C:calendar-home-set>"
        )

    def _of(self, collection: Collection) -> str:
        found = f"<D:resourcetype>{collection.kinds}</D:resourcetype>"
        found += f"<D:displayname>{escape(collection.name)}</D:displayname>"
        found += f"<D:current-user-principal><D:href>{PRINCIPAL}</D:href></D:current-user-principal>"
        if collection.components:
            names = "".join(f'<C:comp name="{name}"/>' for name in collection.components)
            found += f"<C:supported-calendar-component-set>{names}</C:supported-calendar-component-set>"
        if self._manners.ctags:
            found += f"<S:getctag>{self._store.epoch}-{collection.changed}</S:getctag>"
        if self._manners.syncs and self._manners.announces_sync:
            found += f"<D:sync-token>{self._store.token(collection.changed)}</D:sync-token>"
        return found + collection.more

    def _item(self, collection: Collection, name: str, wanted: set[str]) -> str:
        resource = collection.resources[name]
        found = ""
        if self._manners.etags and f"{_DAV}getetag" in wanted:
            weak = "W/" if self._manners.weakens and f"{_CALDAV}calendar-data" in wanted else ""
            found += f'<D:getetag>{weak}"{resource.changed}"</D:getetag>'
        if f"{_DAV}getcontenttype" in wanted:
            component = f"; component={resource.component.lower()}" if self._manners.tells_component else ""
            found += f"<D:getcontenttype>text/calendar; charset=utf-8{component}</D:getcontenttype>"
        if f"{_CALDAV}calendar-data" in wanted:
            text = resource.text if self._manners.forgets_to_escape else escape(resource.text)
            found += f"<C:calendar-data>{text}</C:calendar-data>"
        return self._response(collection.path + name, found)

    def _sync(self, collection: Collection, asked: ElementTree.Element, depth: str | None) -> Reply:
        token = (asked.findtext(f"{_DAV}sync-token") or "").strip()
        manners = self._manners
        if not manners.syncs:
            return refusal(403, "supported-report")
        refused = manners.refuses_changes if token else manners.refuses_beginning
        if refused is not None:
            return refusal(refused)
        if (manners.strict_depth and depth != "0") or asked.findtext(f"{_DAV}sync-level") != "1":
            return refusal(400)
        after = self._store.sequence_of(token) if token else 0
        if after is None:
            status, said = manners.refuses_token
            return refusal(status, "valid-sync-token" if said else "")
        return self._changes(collection, after, {each.tag for each in asked.findall(f"{_DAV}prop/*")})

    def _changes(self, collection: Collection, after: int, wanted: set[str]) -> Reply:
        """Each resource where it changed last. The token is of before the answer, and what is told is of after it was taken."""
        last = {name: sequence for sequence, name in collection.log if sequence > after}
        names = [
            name
            for name in sorted(last, key=lambda each: last[each])
            if after or name in collection.resources
        ]
        end = collection.changed
        truncated = self._manners.truncates_at is not None and len(names) > self._manners.truncates_at
        if truncated:
            names = names[: self._manners.truncates_at]
            end = end if self._manners.skips_when_truncating and not after else last[names[-1]]
        self._store.step()
        found = [
            self._item(collection, name, wanted)
            if name in collection.resources
            else self._gone(collection, name)
            for name in names
        ]
        self._store.step()
        if self._manners.doubles:
            twice = [self._gone(collection, name) for name in names]
            found = [*twice, *found, *twice]
        if truncated:
            status = "<D:status>HTTP/1.1 507 Insufficient Storage</D:status>"
            found.append(f"<D:response><D:href>{collection.path}</D:href>{status}</D:response>")
        return self._multistatus(found, f"<D:sync-token>{self._store.token(max(end, after))}</D:sync-token>")

    def _multiget(self, collection: Collection, asked: ElementTree.Element) -> Reply:
        if self._manners.multiget is not None:
            return refusal(self._manners.multiget)
        wanted = {each.tag for each in asked.findall(f"{_DAV}prop/*")}
        found = []
        for href in asked.findall(f"{_DAV}href"):
            name = unquote((href.text or "").removeprefix(collection.path))
            self._store.step()
            if name in collection.resources:
                found.append(self._item(collection, name, wanted))
            elif not self._manners.swallows:
                found.append(self._gone(collection, name))
        return self._multistatus(found)

    def _query(self, collection: Collection, asked: ElementTree.Element) -> Reply:
        """Everything: our connector never asks, and other clients sort it out."""
        wanted = {each.tag for each in asked.findall(f"{_DAV}prop/*")}
        return self._multistatus(
            [self._item(collection, name, wanted) for name in sorted(collection.resources)]
        )

    def _get(self, path: str) -> Reply:
        folder, _, name = unquote(path).rpartition("/")
        collection = self._store.collections.get(folder + "/")
        self._store.step()
        resource = collection.resources.get(name) if collection else None
        if resource is None:
            return refusal(404)
        etag = (("ETag", f'"{resource.changed}"'),) if self._manners.etags else ()
        return Reply(200, resource.text.encode(), "text/calendar; charset=utf-8", etag)

    def _gone(self, collection: Collection, name: str) -> str:
        href = self._href(collection.path + name)
        return f"<D:response><D:href>{href}</D:href><D:status>HTTP/1.1 404 Not Found</D:status></D:response>"

    def _response(self, path: str, properties: str) -> str:
        found = f"<D:propstat><D:prop>{properties}</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>"
        missing = (
            "<D:propstat><D:prop><D:owner/></D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>"
        )
        return f"<D:response><D:href>{self._href(path)}</D:href>{found}{missing}</D:response>"

    def _href(self, path: str) -> str:
        """Servers that escape an @ do so in one answer and not in the next."""
        if self._manners.escapes_at:
            plain = self._store.requests % 2
            return escape(quote(path, safe="/@~" if plain else "/"))
        return escape(("" if not self._manners.whole_addresses else self._address) + quote(path, safe="/@"))

    @staticmethod
    def _multistatus(responses: Sequence[str] | Iterable[str], token: str = "") -> Reply:
        return Reply(207, f"{_HEAD}{''.join(responses)}{token}</D:multistatus>".encode())
