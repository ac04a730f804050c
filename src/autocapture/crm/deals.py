"""A deal's row finished: amount in minor units, outcome by its stage, closing and the owner's local days. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from autocapture.crm.cells import Unreadable, at_start, is_empty
from autocapture.crm.mapping import SectionMapping
from autocapture.crm.money import parse_amount, parse_currency
from autocapture.crm.rows import ReadRow, Value, Values
from autocapture.model.crm import LOST, OPEN, WON

_WORDS = {
    "open": OPEN,
    "won": WON,
    "closedwon": WON,
    "lost": LOST,
    "closedlost": LOST,
}


@dataclass(frozen=True, slots=True)
class DealContext:
    """What a deal's row is read with: the row known so far, the owner's zone, the present, when stages were entered."""

    known: Values | None
    zone: ZoneInfo
    now: datetime
    entered: datetime | date | None


def finish_deal(
    row: ReadRow, found: Values, mapping: SectionMapping, context: DealContext
) -> dict[str, Value]:
    """The deal's columns. `found` holds its references, resolved. Raises Unreadable with the reason of a refusal."""
    values: dict[str, Value] = {"name": row.values.get("name") or row.key}
    for name in ("stage", "expected_close_on"):
        if name in mapping.mapped:
            values[name] = row.values.get(name)
    if "pipeline" in mapping.mapped:
        values["pipeline"] = row.values.get("pipeline") or "default"
    values.update({name: found[name] for name in ("company", "owner", "products") if name in found})
    if "references" in mapping.mapped:
        values["references"] = row.values.get("references") or ()
    if "thread_only" in mapping.mapped:
        values["thread_only"] = bool(row.values.get("thread_only"))
    if "amount" in mapping.mapped:
        values["amount_minor"], values["currency"] = _amount(row, mapping)
    known = context.known or {}
    same_owner = "owner" not in values or known.get("owner") == values["owner"]
    created, created_on = _settle(
        row.values["created_at"], context.zone, known if same_owner else {}, "created"
    )
    values["created_at"], values["created_on"] = created, created_on
    if {"stage", "outcome"} & mapping.mapped:
        values["outcome"] = outcome = _outcome(row, mapping)
        values.update(_closing(row, outcome, values, same_owner, context))
    return values


def stage_outcome(stage: str, mapping: SectionMapping) -> str:
    """Whether a stage, named in our words or theirs, means won, lost or open."""
    table = mapping.values.get("outcome", {})
    return _WORDS.get(_plain(table.get(stage, stage)), OPEN)


def _plain(word: str) -> str:
    return "".join(letter for letter in word.casefold() if letter.isalnum())


def _amount(row: ReadRow, mapping: SectionMapping) -> tuple[int | None, str | None]:
    text, currency = row.values.get("amount"), row.values.get("currency")
    if not isinstance(text, str):
        return None, None
    code = parse_currency(currency) if isinstance(currency, str) and not is_empty(currency) else None
    return parse_amount(text, mapping.layout.decimal, code, mapping.layout.currency)


def _outcome(row: ReadRow, mapping: SectionMapping) -> str:
    stated = row.values.get("outcome")
    if isinstance(stated, str):
        outcome = _WORDS.get(_plain(stated))
        if outcome is None:
            raise Unreadable(f"unknown outcome {stated!r}; map it to open, won or lost")
        return outcome
    stage = row.values.get("stage")
    table: Mapping[str, str] = mapping.values.get("outcome", {})
    if row.their_stage in table:
        return stage_outcome(row.their_stage, mapping)
    return stage_outcome(stage, mapping) if isinstance(stage, str) else OPEN


def _closing(
    row: ReadRow, outcome: str, values: Values, same_owner: bool, context: DealContext
) -> dict[str, Value]:
    """When the deal closed. An open one has no such time, whatever the file's date column says."""
    if outcome == OPEN:
        return {"closed_at": None, "closed_on": None}
    known = context.known or {}
    stated = row.values.get("closed_at") or context.entered
    if stated is None and known:
        stated = known.get("closed_at") if known.get("outcome") == outcome else context.now
    if stated is None:
        raise Unreadable(f"{outcome} without closed_at")
    closed_at, closed_on = _settle(stated, context.zone, known if same_owner else {}, "closed")
    created_at, created_on = values["created_at"], values["created_on"]
    assert isinstance(created_at, datetime) and isinstance(created_on, date)  # noqa: S101, PT018
    if closed_at < created_at:
        if isinstance(stated, datetime) or closed_on < created_on:
            raise Unreadable(f"closed before created: {closed_on} is before {created_on}")
        closed_at = created_at  # a day without a time: the same day is not before
    return {"closed_at": closed_at, "closed_on": closed_on}


def _settle(value: Value, zone: ZoneInfo, known: Values, name: str) -> tuple[datetime, date]:
    """The instant and the owner's local day. What is known of the same moment stays, though the owner moved since (R6)."""
    if not isinstance(value, date):
        raise Unreadable(f"{name}_at is missing")
    known_at, known_on = known.get(f"{name}_at"), known.get(f"{name}_on")
    if isinstance(value, datetime):
        at, on = value.astimezone(UTC), value.astimezone(zone).date()
        unchanged = known_at == at
    else:
        at, on = at_start(value, zone), value
        unchanged = known_on == on
    if unchanged and isinstance(known_at, datetime) and isinstance(known_on, date):
        return known_at, known_on
    return at, on
