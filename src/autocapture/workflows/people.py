"""Our people, as the stages need them, with the region by which each one's numbers are read, and how they are matched."""

from __future__ import annotations

from dataclasses import replace

from autocapture.application import Application
from autocapture.formats.domains import FREE_MAIL
from autocapture.formats.phone import region_of
from autocapture.model.directory import Organization
from autocapture.store.directory import load_organization
from autocapture.store.engine import reading
from autocapture.workflows.kept_keys import kept_key, known_key
from autocapture.workflows.own_words import OwnWords
from autocapture.workflows.rules_in_force import Rules, rules_in_force


def our_people(app: Application) -> Organization:
    """For who captures and matches."""
    return _people(app, kept_key(app, "ledger"), rules_in_force(app, keep=True))


def our_people_as_known(app: Application) -> Organization:
    """For who only looks: where nothing was ever left out, no key is made for what is."""
    return _people(app, known_key(app, "ledger") or b"", rules_in_force(app, keep=False))


def judged_by(organization: Organization, rules: Rules) -> Organization:
    """The same people, whose history is judged by these rules, in force or not."""
    keeps_out = None if rules.exclusions.is_empty else rules.exclusions.apply
    return replace(organization, matching=rules.matching, keeps_out=keeps_out, rules_batch=None)


def _people(app: Application, hash_key: bytes, rules: Rules) -> Organization:
    home_region = app.settings.organization.region
    with reading(app.engine) as session:
        loaded = load_organization(
            session,
            region_of=lambda zone: region_of(zone) or home_region,
            shared_domains=FREE_MAIL,
            hash_key=hash_key,
        )
    counts = app.settings.meetings.unknown_count
    people = replace(loaded, read_text=OwnWords(app.vault), unknown_meetings_count=counts)
    return replace(judged_by(people, rules), rules_batch=rules.batch)
