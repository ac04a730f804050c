"""Time in the world: weeks counted back from the end, working hours in a user's own zone.

All arithmetic is on the wall clock of one zone, so a world that is moved by whole weeks keeps its working hours across a
change to summer time, and every random draw stays the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from autocapture.testing.world.model import User

OPENS, CLOSES = time(8, 30), time(18, 0)


def stream(seed: int, *names: object) -> Random:
    """A stream of its own for each subject, so that more of one thing does not change another.

    Seeding with text goes through SHA-512 and so does not depend on PYTHONHASHSEED.
    """
    return Random("/".join(str(name) for name in (seed, *names)))


def end_of_last_week(end: date) -> date:
    """The Monday after the last complete ISO week that ended before or on `end` (a Sunday completes its week)."""
    tomorrow = end + timedelta(days=1)
    return tomorrow - timedelta(days=tomorrow.weekday())


def local_order(moment: datetime | date) -> datetime:
    """A key that orders by wall clock: stable when the world is moved over a change to summer time."""
    if isinstance(moment, datetime):
        return moment.replace(tzinfo=None)
    return datetime.combine(moment, time())


@dataclass(frozen=True, slots=True)
class Diary:
    """One user's working time. `anchor` is the Monday on which the world ends; week -1 is the last full one."""

    user: User
    anchor: date

    def at(self, week: int, weekday: int, hour: int, minute: int = 0) -> datetime:
        day = self.anchor + timedelta(weeks=week, days=weekday)
        return datetime.combine(day, time(hour, minute), ZoneInfo(self.user.time_zone))

    @property
    def end(self) -> datetime:
        return self.at(0, 0, 0)

    def away(self, day: date) -> bool:
        leave = self.user.leave
        return leave is not None and leave[0] <= day <= leave[1]

    def works(self, day: date) -> bool:
        return day.weekday() < 5 and not self.away(day)

    def settle(self, rng: Random, moment: datetime) -> datetime:
        """`moment` itself (to the second) within working hours, else some time early on the next day at work."""
        moment = moment.replace(microsecond=0)
        if moment.time() >= CLOSES:
            moment = datetime.combine(moment.date() + timedelta(days=1), OPENS, moment.tzinfo)
        elif moment.time() < OPENS:
            moment = datetime.combine(moment.date(), OPENS, moment.tzinfo)
        else:
            if self.works(moment.date()):
                return moment
            moment = datetime.combine(moment.date(), OPENS, moment.tzinfo)
        while not self.works(moment.date()):
            moment += timedelta(days=1)
        return moment + timedelta(minutes=rng.randrange(0, 150), seconds=rng.randrange(60))

    def some_time(self, rng: Random, week: int) -> datetime:
        """A working moment in that week (or right after, where the whole week is leave)."""
        day = rng.choices(range(5), weights=(5, 6, 6, 5, 3))[0]
        minutes = rng.randrange(0, 9 * 60)
        moment = self.at(week, day, OPENS.hour, OPENS.minute) + timedelta(
            minutes=minutes, seconds=rng.randrange(60)
        )
        return self.settle(rng, moment)

    def after(self, rng: Random, moment: datetime, hours: float) -> datetime:
        """A working moment about `hours` later: between half and twice of it."""
        later = timedelta(seconds=round(hours * 3600 * rng.uniform(0.5, 2.0)))
        return self.settle(rng, moment + later)


def diaries(users: Iterable[User], anchor: date) -> dict[str, Diary]:
    return {user.email: Diary(user, anchor) for user in users}
