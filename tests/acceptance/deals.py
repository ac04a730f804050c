"""Judging the deal of an activity against the truth."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, get_args

from tests.acceptance.stored import Held
from tests.acceptance.truth import Expected

from autocapture.testing.world import Deal, World

LinkKind = Literal["right", "none", "abstained", "wrong", "in grace", "only by its words", "named", "beside"]
LINK_KINDS: tuple[LinkKind, ...] = get_args(LinkKind)

GRACE = timedelta(days=15)
"""A deal may be what an activity is about two weeks before it is entered and after it is closed. A day more: the CRM's export
knows days only."""


def judge(world: World, expected: Expected, held: Held) -> LinkKind:
    """How the stored deal compares.

    Where the world has no deal: *in grace*, the link is to a deal of somebody who takes part, shortly before its creation or
    after its close; *only by its words*, to an open one of theirs (a question about an invoice beside a running deal: no header
    tells it apart); *named*, to what the subject names, though nobody takes part who has a role on it (a colleague asks about the
    same product); *beside*, anything else, which would be a guess.
    """
    true = expected.truth.deal
    if held.deal is None:
        return "abstained" if true else "none"
    if true is not None:
        return "right" if held.deal == true else "wrong"
    deal = next(deal for deal in world.deals if deal.key == held.deal)
    if not any(role.contact in expected.truth.people for role in deal.contacts):
        return "named" if _is_named(world, deal, held) else "beside"
    return (
        "only by its words"
        if _is_open(deal, expected)
        else "in grace"
        if _is_near(deal, expected)
        else "beside"
    )


def _is_named(world: World, deal: Deal, held: Held) -> bool:
    """Whether the subject has the name of something that is to be sold."""
    subject = (held.subject or "").casefold()
    sold = [product.name for product in world.products if product.key in deal.products]
    return any(name.casefold() in subject for name in sold)


def _is_open(deal: Deal, expected: Expected) -> bool:
    at = expected.story.occurred_at
    return deal.created_at <= at and (deal.closed_at is None or at < deal.closed_at)


def _is_near(deal: Deal, expected: Expected) -> bool:
    at = expected.story.occurred_at
    return deal.created_at - GRACE <= at and (deal.closed_at is None or at <= deal.closed_at + GRACE)
