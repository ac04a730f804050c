"""A world to judge matching by: seeded, hard, with a truth that a careful person could see in it.

The generator knows what each conversation is about; `telling` decides whether that can be seen. Nothing here knows the matcher.
"""

from autocapture.evaluate.world import World
from autocapture.testing.world.hard.calls import calls
from autocapture.testing.world.hard.cast import firms, our_people
from autocapture.testing.world.hard.machines import machine_mail
from autocapture.testing.world.hard.mail import mail
from autocapture.testing.world.hard.meetings import meetings
from autocapture.testing.world.hard.mixed import mixed_mail
from autocapture.testing.world.hard.model import Book
from autocapture.testing.world.hard.sales import sales
from autocapture.testing.world.hard.ties import people_who_moved, ties_between_people
from autocapture.testing.world.hard.twists import partners_take_part, twists

__all__ = ["FIRMS", "generate_hard"]

FIRMS = 220
"""How many companies a world has, unless it is asked for another number."""


def generate_hard(seed: int, number: int = FIRMS) -> World:
    """The world of this seed, with so many companies. The same arguments give the same world, in any process."""
    book = Book(seed)
    our_people(book)
    firms(book, number)
    ties_between_people(book)
    sales(book)
    people_who_moved(book)
    partners_take_part(book)
    threads = mail(book)
    twists(book, threads)
    held = meetings(book)
    calls(book, held)
    machine_mail(book, threads, held)
    mixed_mail(book)  # last: what came before stays as it was
    return book.world()
