"""The sample organisation: one writer of the simulated world, into the files that the connectors and importers read.

::

    users.csv  quotas.csv  crm.toml  crm/*.csv  anchor.json
    mail/<user>/Maildir  calendars/<user>.ics  calls/<rep>.csv  calls/telephone.toml
"""

from autocapture.testing.sample.calls import CallLog
from autocapture.testing.sample.write import SampleAnchor, SamplePaths, ensure_sample, find_sample, write

__all__ = ["CallLog", "SampleAnchor", "SamplePaths", "ensure_sample", "find_sample", "write"]
