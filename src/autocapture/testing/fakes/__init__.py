"""Small real sources in memory, one for each family of cursors, with their connectors and worlds."""
