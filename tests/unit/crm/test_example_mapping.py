"""The example that operators copy is a mapping, and shows every section and field."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from autocapture.crm.fields import SECTIONS
from autocapture.crm.mapping import Layout, parse_mapping

EXAMPLE = Path(__file__).parents[3] / "config" / "crm-mapping.example.toml"


def test_the_example_shows_every_section_field_and_key() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    mappings = parse_mapping(text, EXAMPLE.name)
    assert list(mappings) == list(SECTIONS)
    shown = {(name, field) for name, mapping in mappings.items() for field in mapping.mapped}
    by_outcome_of_stage, by_name = ("deals", "outcome"), ("products", "key")
    every = {(name, field) for name, spec in SECTIONS.items() for field in spec.fields}
    assert every - shown == {by_outcome_of_stage, by_name}
    assert all(f"{key.name} =" in text for key in fields(Layout))
