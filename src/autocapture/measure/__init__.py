"""The metrics layer: declarations, one compiler, rollups and traces; the catalog of every metric."""
