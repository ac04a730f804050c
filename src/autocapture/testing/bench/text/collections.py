"""The collections that are measured on, as values. They are no part of the project: where none are, nothing is measured."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autocapture.errors import SetupError
from autocapture.records import Address

_NO_BOUNCES = {"feedback", "delivered", "vacation"}
_REFUSED_BY_FILTERS = "filtered"
_MARK = "#sig#"


@dataclass(frozen=True, slots=True)
class Bounce:
    """A delivery report. `hard` of its `failed` recipients are gone for good; `filtered`: one was refused as unknown where
    filters do so. `failed` is 0 for complaints, successes and absence notes, and None where nobody said what it is."""

    name: str
    raw: bytes
    failed: int | None
    hard: int
    filtered: bool


@dataclass(frozen=True, slots=True)
class Reply:
    """A person's mail and what its writer wrote of it."""

    name: str
    text: str
    expected: str


@dataclass(frozen=True, slots=True)
class Signed:
    """A person's mail and the indices of the lines of its signature, none where it has none."""

    name: str
    lines: tuple[str, ...]
    signature: frozenset[int]
    writer: Address


@dataclass(frozen=True, slots=True)
class Collections:
    bounces: tuple[Bounce, ...]
    replies: tuple[Reply, ...]
    signed: tuple[Signed, ...]


def read_collections(folder: Path) -> Collections:
    """The three collections in `folder`. Raises SetupError where one is missing."""
    for name in ("bounces-sisimai", "replies-discourse", "signatures-forge"):
        if not (folder / name).is_dir():
            raise SetupError(f"the collection {name} is not in {folder}; name its folder with --data")
    return Collections(
        tuple(_bounces(folder / "bounces-sisimai")),
        tuple(_replies(folder / "replies-discourse")),
        tuple(_signed(folder / "signatures-forge")),
    )


def _bounces(folder: Path) -> list[Bounce]:
    expected: dict[str, list[dict[str, Any]]] = json.loads((folder / "expected.json").read_text("utf-8"))
    return [_bounce(file, expected.get(file.name)) for file in sorted(folder.glob("*.eml"))]


def _bounce(file: Path, told: list[dict[str, Any]] | None) -> Bounce:
    reasons = {each["reason"] for each in told or ()}
    failed = None if told is None else 0 if reasons & _NO_BOUNCES else len(told)
    hard = sum(each["hardbounce"] for each in told or ())
    return Bounce(file.name, file.read_bytes(), failed, hard, _REFUSED_BY_FILTERS in reasons)


def _replies(folder: Path) -> list[Reply]:
    return [
        Reply(file.name, _text(file), _text(folder / "trimmed" / file.name))
        for file in sorted((folder / "emails").iterdir())
    ]


def _signed(folder: Path) -> list[Signed]:
    found = []
    for file in sorted(folder.rglob("*_body")):
        lines = _text(file).split("\n")
        marked = frozenset(
            i for i, line in enumerate(lines) if line.startswith(_MARK) and line[len(_MARK) :].strip()
        )
        told = _text(file.with_name(file.name.replace("_body", "_sender")))
        found.append(
            Signed(file.name, tuple(line.removeprefix(_MARK) for line in lines), marked, _writer(told))
        )
    return found


def _writer(told: str) -> Address:
    """Whom the file beside a body names: a header's value, or one that another program wrote."""
    address = re.search(r"(?:mailto:|<)([^\]>]+)", told)
    return Address(address[1] if address else "", re.sub(r"\[.*?\]|<.*?>", "", told).strip(' "\n'))


def _text(file: Path) -> str:
    return file.read_text("utf-8", "replace").replace("\r\n", "\n")
