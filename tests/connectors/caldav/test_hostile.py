"""Faults at every question, and answers that mean harm."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from tests.connectors.caldav.support import Opener, channel, pulled, tools

from autocapture.connector import Record
from autocapture.errors import AutocaptureError, RateLimited, SetupError, Unreachable
from autocapture.testing.fakes.caldav.server import FAULTS, CaldavServer, Fault
from autocapture.testing.fakes.caldav.store import HOME, event_text
from autocapture_caldav.multistatus import read_multistatus
from autocapture_caldav.xml_reading import Unintelligible, read_xml

BOMB = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(12))
    + "]><x>&m;</x>"
)
HARMFUL = {
    "bomb of entities": BOMB.encode(),
    "quadratic bomb": b'<!DOCTYPE x [<!ENTITY a "' + b"a" * 50_000 + b'">]><x>' + b"&a;" * 50_000 + b"</x>",
    "a file": b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>',
    "an address": b'<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd"><x/>',
    "a parameter": b'<!DOCTYPE x [<!ENTITY % a SYSTEM "http://127.0.0.1:1/x"> %a;]><x/>',
    "a harmless entity": b'<!DOCTYPE x [<!ENTITY a "b">]><D:multistatus xmlns:D="DAV:">&a;</D:multistatus>',
    "an unknown entity": b"<x>&nbsp;</x>",
    "depth": b"<x>" * 100_000,
    "closed depth": b"<x>" * 1_000 + b"</x>" * 1_000,
    "elements": b"<x>" + b"<y/>" * 100_000 + b"</x>",
    "elements of a part": b'<D:m xmlns:D="DAV:"><D:response>' + b"<y/>" * 100_000 + b"</D:response></D:m>",
    "parts": b'<D:m xmlns:D="DAV:">' + b"<D:response/>" * 100_001 + b"</D:m>",
    "nothing": b"",
    "half of it": b'<D:multistatus xmlns:D="DAV:"><D:response>',
    "two roots": b"<x/><x/>",
    "another root": b"<x/>",
    "an undeclared name": b"<D:multistatus/>",
    "no text": bytes(range(256)),
    "another coding": "<x>ä".encode("utf-16"),
    "a coding that computes": b'<?xml version="1.0" encoding="punycode"?><x',
}


@pytest.mark.parametrize("body", HARMFUL.values(), ids=HARMFUL.keys())
def test_harmful_xml_is_refused_at_once(body: bytes) -> None:
    with pytest.raises(Unintelligible):
        read_multistatus(body)


def test_any_coding_that_servers_use_is_read() -> None:
    for coding in ("utf-8", "utf-16", "iso-8859-1"):
        text = f'<?xml version="1.0" encoding="{coding}"?><x>\u00e4 &#228; &amp; &#0;&#x1F;</x>'
        assert read_xml(text.encode(coding)).text == "\u00e4 \u00e4 & "


def test_a_thousand_attributes_and_namespaces_cost_no_more_than_their_bytes() -> None:
    many = " ".join(f'a{n}="{n}" xmlns:n{n}="u{n}"' for n in range(5_000))
    assert len(read_xml(f"<x {many}/>".encode()).attributes) == 5_000


@pytest.mark.parametrize("body", [HARMFUL["bomb of entities"], HARMFUL["a file"], HARMFUL["depth"]])
@pytest.mark.parametrize("at", ["/", HOME, f"{HOME}work/"])
def test_a_harmful_answer_makes_the_server_unreachable(
    server: CaldavServer, opened: Opener, at: str, body: bytes
) -> None:
    server.store.put(server.store.make("work"), "a.ics", event_text(1))
    server.manners.raw[at] = (207, "application/xml", body)
    connection = opened()
    with pytest.raises(Unreachable):
        connection.pull(channel(connection), None, limit=10)


EXPECTED: dict[str, tuple[type[AutocaptureError], ...]] = {"429": (RateLimited,), "503": (RateLimited,)}


@pytest.mark.parametrize("nth", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_any_question_costs_nothing_but_time(
    server: CaldavServer,
    opened: Opener,
    fault: Fault,
    nth: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Principal, calendars, mark of what changed, the listing that stands in for it, and the reading."""
    caplog.set_level(logging.DEBUG)
    work = server.store.make("work", components=("VEVENT",))
    for number in range(3):
        server.store.put(work, f"{number}.ics", event_text(number))
    server.manners.announces_sync, server.manners.syncs = False, False
    lent = tools(total=timedelta(seconds=0.4))
    server.fault(fault, nth)
    failed: list[Exception] = []
    for _ in range(3):
        try:
            connection = opened(with_=lent)
            of = channel(connection)
            page = pulled(connection, of)
            answers = connection.get(of, [item.id for item in page.items])
            break
        except (RateLimited, Unreachable, SetupError) as problem:
            failed.append(problem)
    else:
        pytest.fail("it never came to rest")
    assert page.complete
    assert sum(isinstance(answer, Record) for answer in answers) == 3
    assert all(isinstance(each, EXPECTED.get(fault, (Unreachable, SetupError))) for each in failed)
    said = " ".join([*map(str, failed), caplog.text])
    assert server.password not in said
    assert "customer.example" not in said
