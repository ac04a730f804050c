"""The one seeded generator: everything a world holds, from a seed, a size and the date it ends."""

from __future__ import annotations

from datetime import date, timedelta

from autocapture.testing.world.calls import calls
from autocapture.testing.world.conversations import Cast, conversations
from autocapture.testing.world.dates import diaries, end_of_last_week, local_order
from autocapture.testing.world.deals import PRODUCTS, deals, leads
from autocapture.testing.world.internal import internal_mail, left_aside, mailings
from autocapture.testing.world.machine import answers, calendar_mail, newsletters, notices
from autocapture.testing.world.meetings import events
from autocapture.testing.world.model import Message, Size, World
from autocapture.testing.world.people import DOMAINS, ORGANISATION, companies, contacts, users

_DEFAULT = Size()


def generate(seed: int, end: date, size: Size = _DEFAULT) -> World:
    """The life of a sales organisation up to the last complete ISO week before (or on) `end`.

    The same arguments give the same world, in any process. `end` only moves everything by whole weeks: the wall-clock times,
    names, words and outcomes stay. Meetings also lie up to two weeks after the end; nothing else does.
    """
    anchor = end_of_last_week(end)
    staff = users(seed, size, anchor)
    reps = [user for user in staff if user.role == "rep"]
    calendar = diaries(staff, anchor)
    firms = companies(seed, size, reps)
    people = contacts(seed, size, staff, firms, calendar)
    sales = deals(seed, size, reps, firms, people, calendar)
    prospects = leads(seed, size, sales, people, firms, calendar)
    cast = Cast.of(staff, firms, people, calendar)
    entries = events(seed, size, cast, sales)
    written = conversations(seed, size, cast, sales, prospects)
    mail: list[Message] = [
        *written,
        *answers(seed, cast, written),
        *internal_mail(seed, size, cast),
        *left_aside(seed, size, cast),
        *mailings(seed, size, cast),
        *newsletters(seed, size, cast),
        *notices(seed, size, cast),
        *calendar_mail(seed, cast, entries),
    ]
    first_on = anchor - timedelta(weeks=size.weeks)
    mail = [message for message in mail if local_order(message.sent_at) >= local_order(first_on)]
    return World(
        seed=seed,
        size=size,
        first_on=first_on,
        last_on=anchor - timedelta(days=1),
        organisation=ORGANISATION,
        domains=DOMAINS,
        users=staff,
        companies=firms,
        contacts=people,
        leads=prospects,
        products=PRODUCTS,
        deals=sales,
        messages=tuple(sorted(mail, key=lambda message: (local_order(message.sent_at), message.message_id))),
        events=tuple(sorted(entries, key=lambda event: (local_order(event.starts_at), event.uid))),
        calls=tuple(
            sorted(
                calls(seed, size, cast, sales), key=lambda call: (local_order(call.started_at), call.call_id)
            )
        ),
    )
