"""Shipped with the package: the conformance suite of connectors, small real fakes, and the simulated world."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autocapture.testing.contract import ConnectorContract, SourceWorld
else:

    def __getattr__(name: str) -> object:
        """The suite, when it is asked for: it needs pytest and hypothesis, and the sample organisation does not."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from autocapture.testing import contract

        return getattr(contract, name)


__all__ = ["ConnectorContract", "SourceWorld"]
