"""Quotas: targets for any metric, scope and dates; how far they are attained, and where they should be by now."""
