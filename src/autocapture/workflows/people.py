"""Our people, as the stages need them, with the region by which each one's numbers are read."""

from __future__ import annotations

from autocapture.application import Application
from autocapture.formats.domains import FREE_MAIL
from autocapture.formats.phone import region_of
from autocapture.model.directory import Organization
from autocapture.store.directory import load_organization
from autocapture.store.engine import reading
from autocapture.workflows.kept_keys import kept_key


def our_people(app: Application) -> Organization:
    hash_key = kept_key(app, "ledger")
    home_region = app.settings.organization.region
    with reading(app.engine) as session:
        return load_organization(
            session,
            region_of=lambda zone: region_of(zone) or home_region,
            shared_domains=FREE_MAIL,
            hash_key=hash_key,
        )
