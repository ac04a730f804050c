"""Keys that must never change, made at their first use and kept sealed."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from autocapture.application import Application
from autocapture.connect.vault import Place
from autocapture.model.columns import stable_id
from autocapture.model.kept_keys import KeptKey
from autocapture.store.bulk import rows_of, table_of
from autocapture.store.engine import insert_for, reading, writing

_KEY = table_of(KeptKey).c
_SEALED = select(_KEY.sealed).where(_KEY.purpose == bindparam("wanted"))


def kept_key(app: Application, purpose: str) -> bytes:
    """The 256-bit key for `purpose`, always the same in one database. Raises VaultError where it was sealed under another key."""
    if (known := known_key(app, purpose)) is not None:
        return known
    made = app.vault.seal(app.vault.first_key(purpose), place_of(purpose))
    with writing(app.engine) as session:
        session.execute(
            insert_for(session)(KeptKey).values(purpose=purpose, sealed=made).on_conflict_do_nothing()
        )
        found = rows_of(session, _SEALED, {"wanted": purpose})
    return app.vault.open(found[0].sealed, place_of(purpose))


def known_key(app: Application, purpose: str) -> bytes | None:
    """The same; None where it was never used."""
    with reading(app.engine) as session:
        found = rows_of(session, _SEALED, {"wanted": purpose})
    return app.vault.open(found[0].sealed, place_of(purpose)) if found else None


def place_of(purpose: str) -> Place:
    return Place("kept_key", stable_id(purpose), "sealed")
