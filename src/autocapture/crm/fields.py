"""The sections and fields that a mapping may name, and what each field holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

FieldKind = Literal[
    "text",
    "emails",
    "email",
    "phones",
    "domains",
    "flag",
    "day",
    "instant",
    "amount",
    "reference",
    "references",
    "numbers",
]


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field. `target` is the section that a reference points to; `owners` stands for users."""

    kind: FieldKind = "text"
    target: str | None = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class SectionSpec:
    """One section. `table` names what its rows become; `named` sections may use the name as the key."""

    table: str
    fields: Mapping[str, FieldSpec]
    named: bool = False


_TEXT = FieldSpec()
_NAME = FieldSpec(required=True)
_INSTANT = FieldSpec("instant")
_OWNER = FieldSpec("reference", "owners")

SECTIONS: Mapping[str, SectionSpec] = {
    "owners": SectionSpec("owner", {"key": _TEXT, "email": FieldSpec("email", required=True)}),
    "companies": SectionSpec(
        "company",
        {"key": _TEXT, "name": _NAME, "domains": FieldSpec("domains"), "partner": FieldSpec("flag")},
        named=True,
    ),
    "products": SectionSpec("product", {"key": _TEXT, "name": _NAME}, named=True),
    "contacts": SectionSpec(
        "contact",
        {
            "key": _TEXT,
            "name": _TEXT,
            "emails": FieldSpec("emails"),
            "phones": FieldSpec("phones"),
            "company": FieldSpec("reference", "companies"),
            "title": _TEXT,
            "created_at": _INSTANT,
        },
        named=True,
    ),
    "leads": SectionSpec(
        "lead",
        {
            "key": _TEXT,
            "contact": FieldSpec("reference", "contacts", required=True),
            "source": _TEXT,
            "owner": _OWNER,
            "created_at": FieldSpec("instant", required=True),
            "assigned_at": _INSTANT,
            "status": _TEXT,
        },
    ),
    "lead_changes": SectionSpec(
        "lead_change",
        {
            "lead": FieldSpec("reference", "leads", required=True),
            "status": FieldSpec(required=True),
            "at": FieldSpec("instant", required=True),
        },
    ),
    "deals": SectionSpec(
        "deal",
        {
            "key": _TEXT,
            "name": _TEXT,
            "company": FieldSpec("reference", "companies"),
            "owner": _OWNER,
            "pipeline": _TEXT,
            "stage": _TEXT,
            "created_at": FieldSpec("instant", required=True),
            "expected_close_on": FieldSpec("day"),
            "closed_at": _INSTANT,
            "outcome": _TEXT,
            "amount": FieldSpec("amount"),
            "currency": _TEXT,
            "products": FieldSpec("references", "products"),
            "references": FieldSpec("numbers"),
            "thread_only": FieldSpec("flag"),
            "contacts": FieldSpec("references", "contacts"),
        },
        named=True,
    ),
    "deal_contacts": SectionSpec(
        "deal_contact",
        {
            "deal": FieldSpec("reference", "deals", required=True),
            "contact": FieldSpec("reference", "contacts", required=True),
            "role": _TEXT,
            "since": _INSTANT,
            "source": _TEXT,  # crm: a person entered it; autocapture: a product for capture did
        },
    ),
    "stage_changes": SectionSpec(
        "stage_change",
        {
            "deal": FieldSpec("reference", "deals", required=True),
            "stage": FieldSpec(required=True),
            "at": FieldSpec("instant", required=True),
            "by": _TEXT,  # who moved it: read so that an export needs no editing, not stored
        },
    ),
}
"""In the order in which they are read: what a section refers to stands before it."""

TABLE_OF_SECTION = {name: spec.table for name, spec in SECTIONS.items()}

ALIAS_OF_TARGET = {
    "companies": "company",
    "contacts": "contact",
    "products": "product",
    "owners": "owner",
    "leads": "lead",
    "deals": "deal",
}
"""The name under which an alias table serves the references to a section."""
