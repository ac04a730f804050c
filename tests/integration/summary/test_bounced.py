"""The page of an activity says to which addresses mail bounced."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlmodel import col, select
from tests.integration.summary.serving import shown

from autocapture.application import Application
from autocapture.model.activities import Activity, Participant
from autocapture.store.engine import reading, writing
from autocapture.store.unreachable import mark_bounced


def test_the_page_of_a_mail_says_that_an_address_bounced_since(app: Application) -> None:
    with reading(app.engine) as session:
        activity_id, address = session.exec(
            select(Activity.id, Participant.address)
            .join(Participant, col(Participant.activity_id) == col(Activity.id))
            .where(
                Activity.kind == "email", Activity.direction == "outbound", col(Participant.user_id).is_(None)
            )
            .limit(1)
        ).one()
    page = f"/activities/{activity_id}"
    assert "bounced" not in shown(app, page)
    with writing(app.engine) as session:
        mark_bounced(session, {address: (datetime(2027, 1, 4, 9, 30, tzinfo=UTC), "5.1.1")})
    assert "mail there bounced on" in shown(app, page)
