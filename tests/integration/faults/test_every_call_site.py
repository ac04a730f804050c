"""Every request that a connector, a sign-in or a subscription makes fails in every way: nothing is lost, doubled or held, and
nobody is asked to act who need not.

The call sites are those that were met in an undisturbed life of each account (`story`), so a new request is tested by itself. The
ways are `autocapture.testing.fakes.gateway.KINDS`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.integration.faults.asking import askings, seen
from tests.integration.faults.caldav_story import CaldavStory, RudeCaldavStory, TruncatingCaldavStory
from tests.integration.faults.google_story import GoogleStory
from tests.integration.faults.microsoft_story import CallsStory, MicrosoftStory
from tests.integration.faults.signing_in_story import SigningInStory
from tests.integration.faults.story import Story
from tests.integration.faults.tls import Tls

from autocapture.testing.fakes.gateway import KINDS, Kind
from autocapture.testing.fakes.google.routes import ROUTES

STORIES: dict[str, type[Story]] = {
    "google": GoogleStory, "microsoft": MicrosoftStory, "microsoft-calls": CallsStory, "caldav": CaldavStory,
    "rude-caldav": RudeCaldavStory, "truncating-caldav": TruncatingCaldavStory, "signing-in": SigningInStory,
}  # fmt: skip
TOGETHER = 3
"""Kinds that each site meets in a row: so often it fails before it is let be, each time in another way."""


def _volleys() -> list[tuple[Kind, ...]]:
    """What passes by itself together; what somebody must act on alone."""
    passing = [kind for kind in KINDS.values() if kind.means == "passing"]
    rows = [tuple(passing[at : at + TOGETHER]) for at in range(0, len(passing), TOGETHER)]
    return [*rows, *((kind,) for kind in KINDS.values() if kind.means != "passing")]


class Stories:
    """The stories that were asked for, each lived through undisturbed once; `lines` are those of the code over which requests
    were made meanwhile."""

    def __init__(self, template: Path, tls: Tls, folder: Path) -> None:
        self._template, self._tls, self._folder = template, tls, folder
        self._lived: dict[str, Story] = {}
        self.stack = ExitStack()
        self.lines: set[tuple[str, int]] = set()

    def lived(self, name: str) -> Story:
        if name not in self._lived:
            home = self._folder / name
            shutil.copytree(self._template, home)
            story = self.stack.enter_context(STORIES[name](home, self._tls))
            with seen() as lines:
                story.live()
            self.lines |= lines
            self._lived[name] = story
        return self._lived[name]


@pytest.fixture(scope="module")
def stories(template: Path, tls: Tls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stories]:
    found = Stories(template, tls, tmp_path_factory.mktemp("stories"))
    with found.stack:
        yield found


def fail_everywhere(story: Story, moment: str, kinds: Sequence[Kind]) -> None:
    """Lets each site of a moment meet each of the kinds that apply to it, over as many lives as that takes: a site that is asked
    once in a life meets one in each, and one may not be come to where others failed before it."""
    left = {
        site: applying
        for site in story.sites[moment]
        if (applying := [kind for kind in kinds if story.applies(kind, site)])
    }
    while left:
        met = story.live_again(moment, {site: kinds[: story.in_a_row(site)] for site, kinds in left.items()})
        assert met, f"never met again: {sorted(map(str, left))}"
        left = {
            site: remaining
            for site, planned in left.items()
            if (remaining := [kind for kind in planned if (site, kind) not in met])
        }


ONLY_SOMETIMES = {
    "_check_alive": "where a server failed at every message of a batch",
    "_all_instances": "of a series with more than five hundred instances within two years",
    "_list": "of calls, where Graph does not take both conditions at once",
    "_lying_in": "of an Outlook calendar, where a series is told as removed that is still there, or an event is read by its id",
    "_first": "of a folder, where Graph does not tell header lines in a delta",
}
"""Functions that ask once more than in an undisturbed life, and when; what each does is tested with its connector."""

NOT_ASKED = {"gmail.labels.list"}
"""Of the fake of Google, what a connector that labels say nothing to never asks for."""

SAMPLED = (
    ("google", "watched", ("401 twice",)),
    ("google", "expired", ("reset after",)),
    ("google", "notified", ("301 elsewhere",)),
    ("microsoft", "connected", ("429 for ever", "408")),
    ("microsoft-calls", "imported", ("403 of a proxy", "404 of a proxy", "gzip bomb")),
    ("rude-caldav", "changed", ("no handshake",)),
    ("signing-in", "signed_in", ("200 of a portal", "500", "302 elsewhere")),
)


def test_every_expression_that_asks_is_a_site(stories: Stories) -> None:
    """And every route that the fake of Google serves is asked for."""
    written = askings()
    for name in STORIES.keys() - {"truncating-caldav"}:
        stories.lived(name)
    assert len(written) > 40
    reached = {
        each
        for each in written
        if any(path == each.path and each.line <= line <= each.last_line for path, line in stories.lines)
    }
    assert {each.function for each in set(written) - reached} == ONLY_SOMETIMES.keys()
    routes = {site.route for site in stories.lived("google").wire_met}
    asked = {route.removeprefix("batch of ").removesuffix(" with texts") for route in routes}
    assert {route.method for route in ROUTES} - asked == NOT_ASKED


@pytest.mark.parametrize(("name", "moment", "kinds"), SAMPLED)
def test_requests_that_fail_lose_nothing(
    stories: Stories, name: str, moment: str, kinds: tuple[str, ...]
) -> None:
    fail_everywhere(stories.lived(name), moment, [KINDS[kind] for kind in kinds])


@pytest.mark.soak
@pytest.mark.parametrize("kinds", _volleys(), ids=lambda kinds: ", ".join(map(str, kinds)))
@pytest.mark.parametrize("name", STORIES)
def test_every_request_fails_in_every_way(stories: Stories, name: str, kinds: tuple[Kind, ...]) -> None:
    story = stories.lived(name)
    for moment, _ in story.moments:
        fail_everywhere(story, moment, kinds)
