"""What the state of a meeting stands on, in words; and of which meeting a call is a part."""

from __future__ import annotations

from typing import Any

from sqlmodel import Session

from autocapture.model.activities import Activity
from autocapture.normalize.meeting_state import Name
from autocapture.web.ownership import Sight, sees_activity

WORDS: dict[Name, str] = {
    "cancelled": "Its organizer cancelled it",
    "declined_by_us": "Everybody of ours declined",
    "left_calendars": "It left every calendar before it began",
    "talked": "A call in its slot",
    "missed": "A mail says that it was missed",
    "declined_by_them": "Every guest declined",
    "accepted": "Accepted",
    "tentative": "Answered with maybe",
    "silence": "No guest answered",
    "doubt": "A guest did not come, and no other is known to have come",
    "spoke": "A short call in its slot",
    "missed_by_some": "A mail says that somebody did not come",
    "policy": "What nobody knows counts as held here",
}


def signs(session: Session, activity: Activity, sight: Sight) -> list[dict[str, Any]]:
    """The signs of a meeting, the deciding one first; of a call or mail that who asks cannot see, neither whom nor which."""
    told = []
    for row in activity.evidence or ():
        other = row.get("activity")
        seen = other is None or sees_activity(session, sight, other)
        told.append(
            {
                "words": WORDS[row["sign"]],
                "says": row["says"].replace("_", " "),
                "grade": row["grade"],
                "who": ", ".join(row.get("who", ())) if seen else "",
                "href": f"/activities/{other}" if other is not None and seen else "",
            }
        )
    return told


def whole(session: Session, activity: Activity, sight: Sight) -> str:
    """The address of the meeting of which a call is a part; empty for others, and where who asks cannot see it."""
    meeting_id = activity.meeting_id
    return (
        f"/activities/{meeting_id}"
        if meeting_id is not None and sees_activity(session, sight, meeting_id)
        else ""
    )
