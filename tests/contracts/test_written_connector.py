"""The connector that docs/how-to/write-a-connector.md builds passes the suite, just as it is printed there."""

import re
from pathlib import Path
from typing import Any

from autocapture.testing.contract import ConnectorContract
from autocapture.testing.source_world import SourceWorld

PAGE = Path(__file__).parents[2] / "docs/how-to/write-a-connector.md"


def printed() -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "call_folder"}
    for block in re.findall(
        r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    ):
        exec(block, names)
    return names


class TestThePagesConnector(ConnectorContract):
    max_examples = 6
    steps = 12

    def make_world(self, directory: Path) -> SourceWorld:
        world: SourceWorld = printed()["TestCallFolder"]().make_world(directory)
        return world
