"""Why an export is not made or not imported, as one line for its operator.

StartupFailure
 └─ Refused            starting again changes nothing
     ├─ Damaged        the export is not what its manifest says: which files, and why
     └─ (itself)       the export or the cluster is not in a state for it
"""

from runtime.startup_failures import Misconfigured


class Refused(Misconfigured):
    """The export or the cluster has to be put right first; nothing was written."""


class Damaged(Refused):
    """The export is not what its manifest says."""
