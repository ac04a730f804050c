"""By which rules everything is matched: those that were applied last. A file that was changed since is a proposal.

The never-log list is different in one way: what comes is judged by its file as it is, at once; to what is stored before, it is
applied as everything else is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from json import dumps, loads
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session, col

from autocapture.admit.exclusions import Exclusions, parse_exclusions, written_exclusions
from autocapture.application import Application
from autocapture.errors import SetupError, StoreBusy
from autocapture.match.rules import parse_rules, settings_of, shipped_rules
from autocapture.model.activities import Activity
from autocapture.model.matching import MatchingRules
from autocapture.model.rules import RulesInForce
from autocapture.store.bulk import rows_of, table_of
from autocapture.store.engine import insert_for, reading, take_turn, writing
from autocapture.workflows.exclusions import load_exclusions
from autocapture.workflows.matching_rules import load_matching_rules

_ROW = table_of(RulesInForce).c
_STORED = select(_ROW.matching, _ROW.exclusions, _ROW.batch_id)
_BATCH = select(_ROW.batch_id)
_ANYTHING = select(col(Activity.id)).limit(1)


@dataclass(frozen=True, slots=True)
class Rules:
    """By what activities are matched, and which of the stored ones are set aside. `batch` is the number of the batch that put
    them in force, 0 of those that were there at the beginning; None of what is only proposed."""

    matching: MatchingRules
    exclusions: Exclusions
    batch: int | None = field(default=None, compare=False)

    def as_data(self) -> dict[str, Any]:
        return {"matching": settings_of(self.matching), "exclusions": written_exclusions(self.exclusions)}


def rules_of_files(app: Application) -> Rules:
    """As the files say it now. Raises SetupError."""
    capture = app.settings.capture
    return Rules(load_matching_rules(capture.matching_file), load_exclusions(capture.exclusions_file))


def rules_in_force(app: Application, *, keep: bool) -> Rules:
    """The rules that were applied last. Before anything is stored, and before any were kept, these are the file's; `keep` keeps
    them from then on. Nothing that is stored is set aside before a list was applied. Raises SetupError for a wrong file."""
    proposed = Rules(load_matching_rules(app.settings.capture.matching_file), Exclusions())
    with reading(app.engine) as session:
        found = _stored(session)
        is_first = found is None or (
            found[1] is None and found[0] != proposed and not _holds_anything(session)
        )
    if not is_first and found is not None:
        return found[0]
    if keep:
        with writing(app.engine) as session:
            take_turn(session)
            _keep_first(session, proposed)
            found = _stored(session)
            return proposed if found is None else found[0]
    return proposed


def stored_rules(session: Session) -> Rules | None:
    """Those in force, where any were kept."""
    found = _stored(session)
    return None if found is None else found[0]


def require_in_force(session: Session, batch: int) -> None:
    """Raises StoreBusy where other rules were put in force since somebody began with those of this batch: their work is to be
    begun anew, or what it stores would be matched by the old ones after history was judged by the new."""
    found = rows_of(session, _BATCH)
    if found and (found[0].batch_id or 0) != batch:
        raise StoreBusy("other rules were put in force meanwhile")


def put_in_force(session: Session, data: Mapping[str, Any], batch_id: int | None) -> None:
    """From here on everything is judged by these, as `Rules.as_data` gives them."""
    session.execute(
        update(RulesInForce).values(
            matching=data["matching"], exclusions=data["exclusions"], batch_id=batch_id
        )
    )


def rules_from(data: Mapping[str, Any]) -> Rules:
    """The inverse of `Rules.as_data`, also of what an earlier release wrote: evidence and words that it did not know say
    nothing."""
    return Rules(_matching(dumps(data["matching"], sort_keys=True)), parse_exclusions(data["exclusions"]))


@lru_cache(maxsize=8)
def _matching(written: str) -> MatchingRules:
    data, shipped = loads(written), settings_of(shipped_rules())
    known = {
        name: {key: data.get(name, {}).get(key, _neutral(name, value)) for key, value in table.items()}
        for name, table in shipped.items()
        if name != "version"
    }
    return parse_rules({**known, "version": data["version"]})


def _neutral(table: str, shipped: Any) -> Any:
    """What a key says by which nothing was judged before it was there."""
    return {"weights": 0.0, "words": []}.get(table, shipped)


def _stored(session: Session) -> tuple[Rules, int | None] | None:
    found = rows_of(session, _STORED)
    if not found:
        return None
    matching, exclusions, batch_id = found[0]
    try:
        rules = rules_from({"matching": matching, "exclusions": exclusions})
        return replace(rules, batch=batch_id or 0), batch_id
    except SetupError as problem:
        raise SetupError(f"the rules in force are of another release: {problem}") from problem


def _holds_anything(session: Session) -> bool:
    return bool(rows_of(session, _ANYTHING))


def _keep_first(session: Session, rules: Rules) -> None:
    """Unless others were kept meanwhile, by which something is stored already."""
    found = _stored(session)
    if found is None:
        row = {"id": 1, **rules.as_data(), "batch_id": None}
        session.execute(insert_for(session)(RulesInForce).values(row).on_conflict_do_nothing())
    elif found[1] is None and not _holds_anything(session):
        put_in_force(session, rules.as_data(), None)
