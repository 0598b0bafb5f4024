"""Faults that a rehearsal asks for: the n-th creation, update or deletion is refused, or answered late.

Providers are fresh processes in every operation; what they share is one sqlite file, which exists only where faults
were planned. Counting starts anew with each plan, over all resources of all stand-ins in the order in which the
engine asks for them.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from rehearsal.stand_in import Refused

#: The environment variable that tells the providers where the file would be.
FAULTS_VARIABLE: Final = "GPU_SLICES_REHEARSAL_FAULTS"

Operation = Literal["create", "update", "delete"]

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS planned (operation TEXT NOT NULL, at INTEGER NOT NULL, seconds REAL NOT NULL);
CREATE TABLE IF NOT EXISTS asked (operation TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS struck (urn TEXT NOT NULL);
"""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What happens to the `at`-th operation of its kind (1 is the first): it is refused, or `seconds` late.

    Raises ValueError for an operation that stand-ins do not know and for numbers that mean nothing.
    """

    operation: Operation
    at: int
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.operation not in get_args(Operation) or self.at < 1 or self.seconds < 0:
            raise ValueError(f"{self} is no fault: create, update or delete, from the first on, 0 seconds or more")


class Faults:
    """The plan of faults in one file; without a plan there is no file, and nothing is counted."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def from_environment(cls) -> Faults | None:
        """The file that FAULTS_VARIABLE names; None without one."""
        path = os.environ.get(FAULTS_VARIABLE)
        return cls(Path(path)) if path else None

    def plan(self, *faults: Fault) -> None:
        """Replaces the plan, and forgets what was counted and what has struck; without faults nothing fails."""
        with closing(self._open()) as db:
            db.execute("BEGIN IMMEDIATE")
            for table in ("planned", "asked", "struck"):
                db.execute(f"DELETE FROM {table}")
            rows = [(fault.operation, fault.at, fault.seconds) for fault in faults]
            db.executemany("INSERT INTO planned VALUES (?, ?, ?)", rows)
            db.execute("COMMIT")

    def meet(self, operation: Operation, urn: str) -> None:
        """Counts one operation; waits, or raises Refused, where the plan says so."""
        if not self._path.exists():
            return
        with closing(self._open()) as db:
            db.execute("BEGIN IMMEDIATE")
            db.execute("INSERT INTO asked VALUES (?)", (operation,))
            (times,) = db.execute("SELECT count(*) FROM asked WHERE operation = ?", (operation,)).fetchone()
            found = db.execute(
                "SELECT seconds FROM planned WHERE operation = ? AND at = ?", (operation, times)
            ).fetchone()
            if found:
                db.execute("INSERT INTO struck VALUES (?)", (urn,))
            db.execute("COMMIT")
        if found and found[0]:
            time.sleep(found[0])
        elif found:
            raise Refused(f"InternalFailure: the rehearsal was told to fail {operation} number {times}")

    def asked(self, operation: Operation) -> int:
        """How many operations of a kind the engine has asked for since the plan."""
        with closing(self._open()) as db:
            return db.execute("SELECT count(*) FROM asked WHERE operation = ?", (operation,)).fetchone()[0]

    def struck(self) -> tuple[str, ...]:
        """URNs of the resources that a fault has met, in order."""
        if not self._path.exists():
            return ()
        with closing(self._open()) as db:
            return tuple(urn for (urn,) in db.execute("SELECT urn FROM struck ORDER BY rowid"))

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, timeout=30, isolation_level=None)
        db.executescript(_TABLES)
        return db
