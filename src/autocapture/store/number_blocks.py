"""Blocks of numbers of one company: read for what they are learned from, kept, and looked up."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session

from autocapture.formats.number_blocks import OPEN, blocks_of
from autocapture.model.created import CONTACT
from autocapture.model.crm import Contact, ContactHandle, NumberBlock
from autocapture.store.bulk import rows_of, table_of
from autocapture.store.created import is_created
from autocapture.store.learned import keep_learned
from autocapture.store.lookup import Lookup

_CONTACT, _HANDLE, _BLOCK = table_of(Contact).c, table_of(ContactHandle).c, table_of(NumberBlock)
_BLOCKS = Lookup(
    lambda among: select(_BLOCK.c.block, _BLOCK.c.company_id).where(among(_BLOCK.c.block, "blocks"))
)


def shared_beginnings(session: Session) -> Iterator[tuple[int, str, int, int, int | None]]:
    """Numbers of the CRM's contacts that differ in their last digits alone, as `crm.number_blocks.Shared` has them."""
    for digits in OPEN:
        number = _HANDLE.value
        beginning = func.substr(number, 1, func.length(number) - digits, type_=number.type)
        whose = func.coalesce(_CONTACT.company_id, -_CONTACT.id)
        statement: Any = (
            select(
                func.min(number),
                func.count(number.distinct()),
                func.count(whose.distinct()),
                func.min(_CONTACT.company_id),
            )
            .join(table_of(Contact), _CONTACT.id == _HANDLE.contact_id)
            .where(_HANDLE.kind == "phone", number.like("+%"), ~is_created(CONTACT, _CONTACT.id))
            .group_by(beginning, func.length(number))
            .having(func.count(number.distinct()) > 1)
        )
        yield from ((digits, *row) for row in rows_of(session, statement))


def companies_of_blocks(session: Session, numbers: Collection[str]) -> dict[str, tuple[int, str]]:
    """By number (E.164): the company among whose numbers it lies, and the block; the largest block first."""
    wanted = {number: tuple(blocks_of(number)) for number in numbers if number.startswith("+")}
    if not wanted:
        return {}
    known = dict(
        tuple(row)
        for row in _BLOCKS(session, blocks={block for blocks in wanted.values() for block in blocks})
    )
    found = {}
    for number, blocks in wanted.items():
        block = next((each for each in blocks if each in known), None)
        if block is not None:
            found[number] = (known[block], block)
    return found


def keep_blocks(session: Session, learned: Mapping[str, int]) -> None:
    """Brings what is kept in line with what is learned now."""
    keep_learned(session, NumberBlock, "block", learned)
