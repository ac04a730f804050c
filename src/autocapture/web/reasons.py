"""Why an activity was matched, in names: evidence is stored by id, so that it stays true when somebody is renamed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlmodel import Session, col, select

from autocapture.match.reasons import in_words
from autocapture.model.activities import Activity, Match
from autocapture.model.crm import Company, Contact, Deal, DealContact
from autocapture.workflows.corrections_told import one

_GONE = "no longer in the CRM"
_CERTAIN = 0.995
"""From here on a rounded probability would promise what nothing can."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One line: what kind of reason, what it says, and where more of it is shown."""

    what: str
    said: str
    href: str | None = None


def target_name(session: Session, match: Match) -> str:
    """The company or deal that an activity was matched to."""
    if match.target == "company":
        return _name(session.get(Company, match.target_id))
    return _name(session.get(Deal, match.target_id))


def reasons(
    session: Session, match: Match, evidence: Mapping[str, Any], is_seen: Callable[[int], bool]
) -> tuple[Reason, ...]:
    """The evidence of a match, as far as it may be told, each part with the names that its ids stand for. Of another activity
    the subject is told where `is_seen` says that the reader may see it."""
    told = [_reason(session, match, key, value, is_seen) for key, value in sorted(evidence.items())]
    return tuple(each for each in told if each.said)


def _reason(
    session: Session, match: Match, key: str, value: object, is_seen: Callable[[int], bool]
) -> Reason:
    if key == "contacts" and isinstance(value, list):
        return Reason("Contacts", ", ".join(_contact(session, match, int(each)) for each in value))
    if key == "company" and isinstance(value, int):
        return Reason("Company", _name(session.get(Company, value)))
    if key == "by" and match.method == "deal":
        return Reason("Deal", _name(session.get(Deal, int(str(value)))))
    if key == "precedent" and isinstance(value, int):
        return _precedent(session.get(Activity, value), is_seen)
    if key == "p" and isinstance(value, float):
        return Reason("How likely", "over 99%" if value >= _CERTAIN else f"{value:.0%}")
    if key == "said_in" and isinstance(value, int):
        return replace(_precedent(session.get(Activity, value), is_seen), what="Named in")
    if key == "named" and isinstance(value, list):
        return Reason("Named in the subject", ", ".join(str(each) for each in value))
    if key == "weights" and isinstance(value, dict):
        return Reason("What speaks", "; ".join(in_words(value)))
    if key == "correction" and isinstance(value, int):
        said = one(session, value)
        return Reason("Said by", "" if said is None else f"{said.by}: {said.whole}")
    return Reason("Found by" if key == "by" else key.replace("_", " ").capitalize(), str(value))


def _contact(session: Session, match: Match, contact_id: int) -> str:
    """``Kim Hoekstra (decision maker)``: the name, and the role in the deal where the CRM has one."""
    name = _name(session.get(Contact, contact_id))
    role = session.exec(
        select(DealContact.role).where(
            DealContact.deal_id == match.target_id, col(DealContact.contact_id) == contact_id
        )
    ).first()
    return f"{name} ({role.replace('_', ' ')})" if role and match.target == "deal" else name


def _precedent(activity: Activity | None, is_seen: Callable[[int], bool]) -> Reason:
    if activity is None:
        return Reason("As before it", "an activity that is no longer kept")
    if not is_seen(activity.id):
        return Reason("As before it", f"an earlier {activity.kind} of somebody else")
    return Reason(
        "As before it", activity.subject or f"an earlier {activity.kind}", f"/activities/{activity.id}"
    )


def _name(named: Company | Contact | Deal | None) -> str:
    return _GONE if named is None else named.name
