from __future__ import annotations

import pytest

from autocapture.normalize.missed_meeting import said_in_subject, said_in_text
from autocapture.normalize.slot import MISSED_IT, MISSED_YOU


@pytest.mark.parametrize(
    "subject",
    [
        "Sorry I missed our meeting",
        "Apologies for missing today's demo",
        "So sorry, I couldn’t join our call this morning",
        "Sorry – I completely forgot our meeting",
        "Entschuldigung, dass ich unseren Termin verpasst habe",
        "Es tut mir leid, dass ich an der Besprechung nicht teilnehmen konnte",
        "Sorry dat ik onze afspraak heb gemist",
        "Excuses, ik ben ons overleg helemaal vergeten",
        "Förlåt att jag missade vårt möte",
        "Ursäkta att jag inte kunde komma till mötet",
        "Désolé d'avoir manqué notre rendez-vous",
        "Toutes nos excuses, nous n'avons pas pu assister à la réunion",
        "Siento haberme perdido nuestra reunión",
        "Disculpa, no pude asistir a la cita",
        "抱歉,我错过了我们的会议",
        "不好意思忘了今天的會議",
    ],
)
def test_who_writes_that_they_missed_a_meeting_is_understood(subject: str) -> None:
    assert said_in_subject(subject) == MISSED_IT


@pytest.mark.parametrize(
    "subject",
    [
        "Sorry we missed you at our meeting today",
        "You didn't join our call",
        "You were not able to attend the demo",
        "Wir haben Sie in unserem Termin vermisst",
        "Sie sind leider nicht zum Termin erschienen",
        "We hebben je gemist bij onze afspraak",
        "Je was niet aanwezig bij de vergadering",
        "Vi saknade dig på mötet",
        "Vous n'étiez pas présent à notre réunion",
        "No asististe a nuestra reunión",
        "您今天没有参加会议",
    ],
)
def test_who_writes_that_others_missed_a_meeting_is_understood(subject: str) -> None:
    assert said_in_subject(subject) == MISSED_YOU


@pytest.mark.parametrize(
    "subject",
    [
        "Sorry I missed your call",
        "Sorry we missed you",
        "Don't miss our demo",
        "Sorry if I missed the meeting invite",
        "Can't make it to our meeting tomorrow",
        "Minutes of our meeting",
        "Missed call from +49 30 123456",
        "You have not answered our meeting request",
        "Entschuldigung für die späte Antwort zu unserem Termin",
        "Nicht vergessen: Termin am Montag",
        "Herinnering: afspraak niet vergeten",
        "Vergadering gemist? Kijk de opname terug",
        "Möte på måndag",
        "Ne manquez pas notre réunion",
        "No te pierdas nuestra demo",
        "会议纪要",
        "RE: Sorry I missed our meeting",
        "AW: Entschuldigung, dass ich unseren Termin verpasst habe",
        "",
    ],
)
def test_what_leaves_a_doubt_says_nothing(subject: str) -> None:
    assert said_in_subject(subject) is None


def test_of_a_text_only_what_its_writer_wrote_is_read() -> None:
    quoted = "> Sorry I missed our meeting\n"
    assert said_in_text(f"Hi Ruth,\n\nsorry that I missed our\nmeeting. Tomorrow?\n\n{quoted}") == MISSED_IT
    assert said_in_text(f"No problem, tomorrow is fine.\n\nOn Tuesday Kim wrote:\n{quoted}") is None
