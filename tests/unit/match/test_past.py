"""What is kept of a thread's past tells `match` as much as all of it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.cast import NOON
from tests.unit.match.test_match import ANNA, DAY, NORDWIND, OTHER, SUBSIDIARY, THREAD, deal, directory, draft

from autocapture.match import Past, match
from autocapture.model.directory import KnownContact, Precedent

AT_TWO = {
    "anna@nordwind.example": (
        KnownContact(ANNA, NORDWIND, "Anna"),
        KnownContact(ANNA + 50, SUBSIDIARY, "Anna"),
    )
}

Told = tuple[set[int], tuple[tuple[int, float], ...], str]
"""Of one precedent: its companies, its deals with their weights, who took part."""

precedents = st.lists(
    st.tuples(
        st.sets(st.sampled_from([NORDWIND, SUBSIDIARY, OTHER])),
        st.sampled_from([(), ((1, 1.0),), ((3, 0.5),)]),
        st.sampled_from(["anna@nordwind.example", "olga@other.example"]),
    ),
    max_size=12,
)


@settings(deadline=None)  # the first example loads the list of public suffixes
@given(precedents, st.booleans())
def test_what_is_kept_of_a_past_is_all_that_matching_needs(told: list[Told], shared: bool) -> None:
    whole = [
        Precedent(number, NOON - (20 - number) * DAY, deals, tuple(sorted(companies)), frozenset({handle}))
        for number, (companies, deals, handle) in enumerate(told)
        if companies or deals
    ]
    past = Past()
    for each in whole:
        past.add(each)
    contacts = {"contacts": AT_TWO} if shared else {}
    all_of_it = directory(deal(1), deal(3, OTHER), precedents={THREAD: whole}, **contacts)
    kept = directory(deal(1), deal(3, OTHER), precedents={THREAD: past.precedents}, **contacts)
    assert match(draft(), kept, THREAD, None) == match(draft(), all_of_it, THREAD, None)


def test_a_thread_of_thousands_leaves_few_precedents() -> None:
    past = Past()
    for number in range(4_000):
        past.add(Precedent(number, NOON + number * DAY, (), (number % 3,), frozenset()))
    assert len(past.precedents) <= 4
    assert past.precedents[-1].activity_id == 3_999
