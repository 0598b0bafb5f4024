"""What a destroyed stack left in the account: found by tags and names, priced where known, removed only on request.

Imports botocore, which takes a while: only the command that needs it imports this package, and only when it runs.
"""

from __future__ import annotations

from .kind import Leftover
from .owner import Owner, owner_of
from .sweep import Outcome, cluster_status, find, remove

__all__ = ["Leftover", "Outcome", "Owner", "cluster_status", "find", "owner_of", "remove"]
