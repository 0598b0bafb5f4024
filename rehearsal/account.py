"""The world of a rehearsal: what exists in the pretended account and clusters, in one sqlite file.

Providers are fresh processes in every operation, several at a time; the file is what they share. Nothing here knows
what a resource is: the stand-ins do.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: The environment variable that tells the providers where the file is.
ACCOUNT_VARIABLE = "GPU_SLICES_REHEARSAL_ACCOUNT"

#: The environment variable that names the folder of a real control plane; without it, Kubernetes is pretended too.
CLUSTER_VARIABLE = "GPU_SLICES_REHEARSAL_CLUSTER"

ACCOUNT_ID = "123456789012"

#: Stands for a URN at things that were there before the stack.
EXISTING = "existing"

_TABLES = """
CREATE TABLE IF NOT EXISTS items (
    type TEXT NOT NULL, id TEXT NOT NULL, urn TEXT NOT NULL, data TEXT NOT NULL, PRIMARY KEY (type, id));
CREATE TABLE IF NOT EXISTS handles (type TEXT NOT NULL, handle TEXT NOT NULL, id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS links (
    type TEXT NOT NULL, id TEXT NOT NULL, to_type TEXT NOT NULL, handle TEXT NOT NULL, blocks INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS minted (urn TEXT PRIMARY KEY, times INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS by_handle ON handles (type, handle);
CREATE INDEX IF NOT EXISTS by_link ON links (to_type, handle);
"""


@dataclass(frozen=True, kw_only=True)
class Link:
    """That one item refers to another by one of its handles, and whether the other can't be deleted meanwhile."""

    type: str
    handle: str
    blocks: bool


@dataclass(frozen=True, kw_only=True)
class Item:
    """Something that exists. `urn` is EXISTING for what was there before the stack."""

    type: str
    id: str
    urn: str
    data: Mapping[str, Any]


class Account:
    """One file of existing things; every method is one transaction unless it runs inside `changing()`."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.executescript(_TABLES)

    @classmethod
    def from_environment(cls) -> Account:
        """The account that ACCOUNT_VARIABLE names. Raises LookupError without it."""
        path = os.environ.get(ACCOUNT_VARIABLE)
        if not path:
            raise LookupError(f"{ACCOUNT_VARIABLE} is not set: the stand-ins only run inside a rehearsal")
        return cls(Path(path))

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Nobody else reads or writes meanwhile; an exception undoes everything."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def close(self) -> None:
        """Lets go of the file."""
        self._db.close()

    def put(self, item: Item, handles: Sequence[str] = (), links: Sequence[Link] = ()) -> None:
        """Creates or overwrites an item with all its handles and links."""
        with self._lock:
            self._forget(item.type, item.id)
            row = (item.type, item.id, item.urn, json.dumps(item.data))
            self._db.execute("INSERT INTO items VALUES (?, ?, ?, ?)", row)
            names = [(item.type, handle, item.id) for handle in dict.fromkeys((item.id, *handles))]
            self._db.executemany("INSERT INTO handles VALUES (?, ?, ?)", names)
            rows = [(item.type, item.id, link.type, link.handle, link.blocks) for link in links]
            self._db.executemany("INSERT INTO links VALUES (?, ?, ?, ?, ?)", rows)

    def remove(self, type_: str, id_: str) -> None:
        """Takes an item away; nothing happens when it does not exist."""
        with self._lock:
            self._forget(type_, id_)

    def remove_inside(self, prefix: str) -> None:
        """Takes away everything whose id starts with a prefix: what was in a cluster, say."""
        with self._lock:
            for item in self._items("WHERE substr(id, 1, ?) = ?", (len(prefix), prefix)):
                self._forget(item.type, item.id)

    def _forget(self, type_: str, id_: str) -> None:
        for table in ("items", "handles", "links"):
            self._db.execute(f"DELETE FROM {table} WHERE type = ? AND id = ?", (type_, id_))

    def get(self, type_: str, id_: str) -> Item | None:
        """The item of a type with this id."""
        return next(iter(self._items("WHERE type = ? AND id = ?", (type_, id_))), None)

    def find(self, type_: str, handle: str) -> Item | None:
        """The item of a type that has a handle (its id, arn, name, …)."""
        where = "WHERE type = ?1 AND id IN (SELECT id FROM handles WHERE type = ?1 AND handle = ?2)"
        return next(iter(self._items(where, (type_, handle))), None)

    def all(self, type_: str | None = None) -> tuple[Item, ...]:
        """Everything that exists, of one type or of all."""
        return self._items("WHERE type = ?", (type_,)) if type_ else self._items("", ())

    def blocking(self, type_: str, id_: str) -> tuple[Item, ...]:
        """The items that refer to this one in a way that forbids to delete it."""
        where = """WHERE (type, id) IN (SELECT type, id FROM links WHERE blocks AND to_type = ?1 AND handle IN
                   (SELECT handle FROM handles WHERE type = ?1 AND id = ?2))"""
        return self._items(where, (type_, id_))

    def mint(self, urn: str) -> int:
        """How often this URN was created before; a replacement is another thing with the same URN."""
        with self._lock:
            row = self._db.execute("SELECT times FROM minted WHERE urn = ?", (urn,)).fetchone()
            times = row[0] if row else 0
            self._db.execute("INSERT OR REPLACE INTO minted VALUES (?, ?)", (urn, times + 1))
            return times

    def _items(self, where: str, values: tuple[Any, ...]) -> tuple[Item, ...]:
        with self._lock:
            rows = self._db.execute(f"SELECT type, id, urn, data FROM items {where} ORDER BY type, id", values)
            return tuple(Item(type=t, id=i, urn=u, data=json.loads(d)) for t, i, u, d in rows)
