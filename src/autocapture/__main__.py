"""`python -m autocapture` and the `autocapture` command."""

from __future__ import annotations

from autocapture.cli.app import app


def main() -> None:
    app(prog_name="autocapture")


if __name__ == "__main__":
    main()
