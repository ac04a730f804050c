"""Shipped with the package: the conformance suite of connectors, small real fakes, and the simulated world."""
