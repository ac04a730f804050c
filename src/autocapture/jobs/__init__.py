"""Workflows as work that can be queued."""
