"""Our people as the file that `autocapture users import` reads."""

from __future__ import annotations

import csv
from pathlib import Path

from autocapture.testing.world.model import World

_HEADER = ("email", "name", "team", "manager", "role", "time_zone", "locale", "aliases", "phones")


def write_users(world: World, path: Path) -> Path:
    """Lists within a cell are separated by `;`. Internal extensions stand beside the outside numbers."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_HEADER)
        for user in world.users:
            writer.writerow(
                (
                    user.email,
                    user.name,
                    user.team,
                    user.manager or "",
                    user.role,
                    user.time_zone,
                    user.locale,
                    ";".join(user.aliases),
                    ";".join((*user.phones, user.extension)),
                )
            )
    return path
