"""Sealed texts opened for matching: what the writer of a mail wrote, which is kept nowhere."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from sqlalchemy import select
from sqlmodel import Session

from autocapture.connect.vault import Place, Vault, VaultError
from autocapture.model.activities import ActivityText
from autocapture.normalize.reply_text import own_words, reply_text
from autocapture.store.bulk import table_of
from autocapture.store.lookup import Lookup

_TEXT = table_of(ActivityText).c
_TEXTS = Lookup(lambda among: select(_TEXT.activity_id, _TEXT.sealed).where(among(_TEXT.activity_id, "ids")))
_KEPT = Lookup(lambda among: select(_TEXT.activity_id).where(among(_TEXT.activity_id, "ids")))


class OwnWords:
    """Opens texts with the vault. A process that is handed one gets None: only where matching runs are texts opened."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def __reduce__(self) -> tuple[type[None], tuple[()]]:
        return type(None), ()

    def __call__(self, activity_id: int, sealed: bytes) -> str | None:
        """What the writer wrote, without quotations and signature; None for a text that opens with no key."""
        try:
            text = self._vault.open(sealed, Place("activity_text", activity_id, "sealed"))
        except VaultError:
            return None
        return own_words(reply_text(text.decode()))


def with_text(session: Session, activity_ids: Collection[int]) -> Collection[int]:
    """Those of which a text is kept: none at most capture levels."""
    return {each for (each,) in _KEPT(session, ids=activity_ids)} if activity_ids else set()


def texts_of(
    session: Session, read: Callable[[int, bytes], str | None], activity_ids: Collection[int]
) -> Mapping[int, str]:
    """The texts, by activity, that are kept of these."""
    if not activity_ids:
        return {}
    found = {each: read(each, sealed) for each, sealed in _TEXTS(session, ids=activity_ids)}
    return {each: text for each, text in found.items() if text is not None}
