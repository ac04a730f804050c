"""The canonical forms by which people are known, for those who call this stage; see `formats.handles`."""

from __future__ import annotations

from autocapture.formats.handles import canonical_email, canonical_phone

__all__ = ["canonical_email", "canonical_phone"]
