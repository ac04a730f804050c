"""A deal is named by its key in the CRM, and some deals count only where they are named."""

from __future__ import annotations

import pytest
from tests.integration.capture.deployment import message
from tests.integration.late.test_late_knowledge import replace
from tests.integration.late.world import ANNA, Told

OLE = "Ole <ole@nord.example>"


@pytest.mark.parametrize(
    ("given", "by"),
    [
        pytest.param(
            {"extra": "Cc: deal+d2@ours.example\r\n"},
            "deal+d2@ours.example gives its key in the CRM",
            id="address",
            marks=pytest.mark.soak,
        ),
        pytest.param(
            {"subject": "On https://crm.example.com/deals/D2"},
            "a link in it gives its key in the CRM",
            id="link",
            marks=pytest.mark.soak,
        ),
        pytest.param(
            {"extra": "X-CRM-Deal: D2\r\n", "author": ANNA, "to": "ole@nord.example"},
            "a header of it gives its key in the CRM",
            id="header",
        ),
    ],
)
def test_a_mail_that_gives_a_deals_key_is_about_it(world: Told, given: dict[str, str], by: str) -> None:
    world.set_rule('deal_links = ["https://crm.example.com/deals/{key}"]')
    world.deliver(message(20, **{"author": OLE, "to": "anna@ours.example", "subject": "Hello", **given}))  # type: ignore[arg-type]
    assert world.links(20) == {"A1", "A3", "D2"}
    assert by in world.why(20)


def test_a_deal_that_counts_only_where_it_is_named_is_told_so(world: Told) -> None:
    assert world.links(5) == {"A3", "D3"}
    world.learn(
        crm=lambda text: text.replace(
            'contacts = "contacts"', 'contacts = "contacts"\nthread_only = "thread_only"'
        ),
        deals=replace(
            "amount,contacts",
            "amount,contacts,thread_only",
            "1000,",
            "1000,,",
            "2000,",
            "2000,,",
            "4000,C3",
            "4000,C3,yes",
        ),
    )
    assert world.links(5) == {"A3"}
    assert "not Press: it counts only where its key or the number of its quote is given" in world.why(5)
