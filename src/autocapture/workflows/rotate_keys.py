"""Rotating the vault's key: every data key is wrapped anew, no secret is opened.

Row by row, in small transactions: killed anywhere, each row is under the old key or the new one, and both open. Run again, it
goes on with what is left. A row that was replaced meanwhile was sealed under the key in force anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Table, select, update

from autocapture.application import Application
from autocapture.connect.vault import Place, VaultError
from autocapture.model.accounts import Credential
from autocapture.model.activities import ActivityText
from autocapture.model.kept_keys import KeptKey
from autocapture.store.bulk import table_of
from autocapture.store.engine import reading, writing
from autocapture.workflows.kept_keys import place_of

BATCH = 500


@dataclass(frozen=True, slots=True)
class _Kind:
    """A table with sealed values, and where the vault knows them to be."""

    table: Table
    key: Column[Any]
    place: Callable[[Any], Place]


@dataclass(slots=True)
class Rotated:
    """What a rotation came to, in sealed values of one table. `unopened`: no key that is known opens them."""

    table: str
    wrapped_anew: int = 0
    as_they_were: int = 0
    unopened: int = 0


def rotate_keys(app: Application) -> Iterator[Rotated]:
    """Wraps every data key under the key in force, table by table; yields what came of each. Raises SetupError, StoreBusy, and
    Unreachable where a key management service does not answer; what is done by then stays done."""
    app.vault.check()
    for kind in _kinds():
        result = Rotated(kind.table.name)
        after: Any = None
        while True:
            rows = _rows_after(app, kind, after)
            if not rows:
                break
            _wrap_anew(app, kind, rows, result)
            after = rows[-1][0]
        yield result


def _kinds() -> tuple[_Kind, ...]:
    """Every table with a column `sealed`; a test compares."""
    credential, text, kept = table_of(Credential), table_of(ActivityText), table_of(KeptKey)
    return (
        _Kind(kept, kept.c.purpose, place_of),
        _Kind(credential, credential.c.account_id, lambda row_id: Place("credential", row_id, "sealed")),
        _Kind(text, text.c.activity_id, lambda row_id: Place("activity_text", row_id, "sealed")),
    )


def _rows_after(app: Application, kind: _Kind, after: Any) -> list[tuple[Any, bytes]]:
    statement = select(kind.key, kind.table.c.sealed).order_by(kind.key).limit(BATCH)
    with reading(app.engine) as session:
        return [
            (key, sealed)
            for key, sealed in session.execute(
                statement if after is None else statement.where(kind.key > after)
            )
        ]


def _wrap_anew(app: Application, kind: _Kind, rows: list[tuple[Any, bytes]], result: Rotated) -> None:
    anew: list[tuple[Any, bytes, bytes]] = []
    for key, sealed in rows:
        if app.vault.is_sealed_under_key_in_force(sealed):
            result.as_they_were += 1
            continue
        try:
            anew.append((key, sealed, app.vault.wrap_anew(sealed, kind.place(key))))
        except VaultError:
            result.unopened += 1
    if not anew:
        return
    with writing(app.engine) as session:
        for key, was, now in anew:
            session.execute(
                update(kind.table).where(kind.key == key, kind.table.c.sealed == was).values(sealed=now)
            )
    result.wrapped_anew += len(anew)
