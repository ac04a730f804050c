"""The command line: the same workflows, now, in the foreground.

Each module exposes ``register(app)``. Modules import what they need inside their commands, so that `autocapture --help` is
answered before the database, the web or a connector has been imported.
"""
