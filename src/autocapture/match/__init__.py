"""From an activity to people, their company and a deal, with evidence. Pure functions over a loaded directory.

What is undecided stays undecided: the activity keeps its people and companies, and `review` says in one line why no deal
was chosen. Nothing here guesses.
"""

from __future__ import annotations

from autocapture.match.activity import judged, match, reaches_deals, weighed

__all__ = ["judged", "match", "reaches_deals", "weighed"]
