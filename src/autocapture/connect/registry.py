"""The connectors that are installed, found through entry points and loaded when asked for.

Built-in connectors use the same door as a third party's: ``[project.entry-points."autocapture.connectors"]``.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from autocapture.connector import Connector
from autocapture.errors import SetupError

GROUP = "autocapture.connectors"


class Registry:
    """Connectors by name. Listing names imports nothing; a connector's package is imported at its first use."""

    def __init__(self, group: str = GROUP) -> None:
        self._entry_points: dict[str, EntryPoint] = {entry.name: entry for entry in entry_points(group=group)}

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._entry_points))

    def get(self, name: str) -> Connector[Any]:
        """The connector called `name`. Raises SetupError when it is not installed or cannot be loaded."""
        entry = self._entry_points.get(name)
        if entry is None:
            known = ", ".join(self.names()) or "none"
            raise SetupError(f"there is no connector {name!r}; installed: {known}")
        try:
            connector: Connector[Any] = entry.load()
        except (ImportError, AttributeError) as problem:
            raise SetupError(
                f"the connector {name!r} cannot be loaded: {problem}; perhaps install autocapture[{name}]"
            ) from problem
        return connector
