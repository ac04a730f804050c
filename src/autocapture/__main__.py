"""`python -m autocapture` and the `autocapture` command."""

from __future__ import annotations

import io
import sys

from autocapture.cli.app import app


def main() -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(
            errors="backslashreplace"
        )  # a terminal that lacks a letter still gets the rest
    app(prog_name="autocapture")


if __name__ == "__main__":
    main()
