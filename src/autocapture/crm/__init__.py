"""Our side of the CRM: reading its exports, and what of the mirror must change, as data."""
