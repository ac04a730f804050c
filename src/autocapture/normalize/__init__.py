"""From what a source said to an activity: direction, parties, identity, what counts for whom. Pure functions."""
