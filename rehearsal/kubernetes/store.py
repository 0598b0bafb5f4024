"""Where Kubernetes objects live. One small interface: a pretended API server today, a real one behind the same seam."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from typing_extensions import override

from rehearsal.account import Account, Item
from rehearsal.stand_in import Refused

CLUSTER = "aws:eks/cluster:Cluster"

#: What EKS has in a new cluster.
NAMESPACES = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})

Manifest = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Ref:
    """One object: `namespace` is empty for what belongs to the whole cluster."""

    api_version: str
    kind: str
    name: str
    namespace: str = ""

    @classmethod
    def of(cls, manifest: Manifest) -> Ref:
        """What a manifest describes."""
        metadata = manifest["metadata"]
        return cls(
            api_version=manifest["apiVersion"],
            kind=manifest["kind"],
            name=metadata["name"],
            namespace=metadata.get("namespace") or "",
        )

    @property
    def group(self) -> str:
        """`apps` of `apps/v1`, "" of `v1`."""
        return self.api_version.rpartition("/")[0]


class Store(Protocol):
    """An API server as the stand-in needs it. All but `read` raise Refused in the API server's words."""

    def create(self, manifest: Manifest, urn: str) -> Manifest:
        """Makes an object and returns it as stored. Refused when it exists already or its namespace does not."""
        ...

    def read(self, ref: Ref) -> Manifest | None:
        """The object as stored, or None."""
        ...

    def update(self, manifest: Manifest, urn: str) -> Manifest:
        """Replaces an object's content and returns it as stored. Refused when it does not exist."""
        ...

    def delete(self, ref: Ref) -> None:
        """Takes an object away, a namespace with all that is in it; nothing happens when it does not exist."""
        ...

    def of_kind(self, api_version: str, kind: str) -> tuple[Manifest, ...]:
        """Every object of a kind."""
        ...


class AccountStore(Store):
    """The rehearsal's account as an API server: one per cluster, gone with the cluster."""

    def __init__(self, account: Account, server: str) -> None:
        self._account = account
        self._server = server

    @override
    def create(self, manifest: Manifest, urn: str) -> Manifest:
        ref = Ref.of(manifest)
        with self._account.changing():
            self._reachable()
            self._refuse_homeless(ref)
            if self._account.get(self._type(ref), self._id(ref)):
                raise Refused(f'{_plural(ref)} "{ref.name}" already exists')
            return self._put(ref, manifest, urn, 1)

    @override
    def read(self, ref: Ref) -> Manifest | None:
        item = self._account.get(self._type(ref), self._id(ref))
        return None if item is None else item.data

    @override
    def update(self, manifest: Manifest, urn: str) -> Manifest:
        ref = Ref.of(manifest)
        with self._account.changing():
            self._reachable()
            before = self._account.get(self._type(ref), self._id(ref))
            if before is None:
                raise Refused(f'{_plural(ref)} "{ref.name}" not found')
            return self._put(ref, manifest, urn, before.data["metadata"]["generation"] + 1)

    @override
    def delete(self, ref: Ref) -> None:
        with self._account.changing():
            self._reachable()
            self._account.remove(self._type(ref), self._id(ref))
            if ref.kind == "Namespace":
                self._account.remove_inside(f"{self._server}|{ref.name}/")

    @override
    def of_kind(self, api_version: str, kind: str) -> tuple[Manifest, ...]:
        items = self._account.all(f"kubernetes:{api_version}:{kind}")
        return tuple(item.data for item in items if item.id.startswith(f"{self._server}|"))

    def _put(self, ref: Ref, manifest: Manifest, urn: str, generation: int) -> Manifest:
        stored = {**manifest, "metadata": {**manifest["metadata"], "generation": generation}}
        self._account.put(Item(type=self._type(ref), id=self._id(ref), urn=urn, data=stored))
        return stored

    def _reachable(self) -> None:
        if self._account.find(CLUSTER, self._server) is None:
            raise Refused(
                f"configured Kubernetes cluster is unreachable: no cluster answers at {self._server or 'nowhere'}"
            )

    def _refuse_homeless(self, ref: Ref) -> None:
        if not ref.namespace or ref.namespace in NAMESPACES:
            return
        home = Ref(api_version="v1", kind="Namespace", name=ref.namespace)
        if self._account.get(self._type(home), self._id(home)) is None:
            raise Refused(f'namespaces "{ref.namespace}" not found')

    def _type(self, ref: Ref) -> str:
        return f"kubernetes:{ref.api_version}:{ref.kind}"

    def _id(self, ref: Ref) -> str:
        return f"{self._server}|{ref.namespace}/{ref.name}"


def _plural(ref: Ref) -> str:
    word = ref.kind.lower()
    plural = f"{word[:-1]}ies" if word.endswith("y") else f"{word}es" if word.endswith("s") else f"{word}s"
    return f"{plural}.{ref.group}" if ref.group else plural
