"""What the engine starts as `pulumi-resource-<package>`: one stand-in, served until the engine ends.

Run as a file, by the wrappers that plugins.py writes. Six of these may start in one operation, so it imports little:
Pulumi's message classes without its SDK (0.08 s instead of 0.2 s of start-up).
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rehearsal.account import Account
    from rehearsal.aws.machines import Machines
    from rehearsal.kubernetes.store import Store


def _without_sdk() -> None:
    """Makes `pulumi.runtime.proto` importable without running the SDK's own `__init__` modules."""
    spec = importlib.util.find_spec("pulumi")
    if spec is None or spec.origin is None:
        raise SystemExit("the pulumi package is not installed")
    root = Path(spec.origin).parent
    for name, folder in (("pulumi", root), ("pulumi.runtime", root / "runtime")):
        module = types.ModuleType(name)
        module.__path__ = [str(folder)]
        sys.modules[name] = module


def main(package: str) -> None:
    """Serves the stand-in of a package."""
    from rehearsal.account import Account
    from rehearsal.faults import Faults
    from rehearsal.serving import serve

    faults = Faults.from_environment()
    version = importlib.metadata.version(f"pulumi-{package}")
    if package == "aws":
        from rehearsal.aws.provider import Aws

        serve(Aws(Account.from_environment(), version, _machines()), faults)
    elif package == "kubernetes":
        from rehearsal.kubernetes.provider import Kubernetes

        serve(Kubernetes(_stores(Account.from_environment()), version), faults)
    else:
        from rehearsal.eks.provider import Eks

        versions = {name: importlib.metadata.version(f"pulumi-{name}") for name in ("aws", "kubernetes")}
        serve(Eks(versions, version))


def _machines() -> Machines | None:
    """Machines for node groups, where the rehearsal has a control plane."""
    from rehearsal.account import CLUSTER_VARIABLE

    if not os.environ.get(CLUSTER_VARIABLE):
        return None
    from rehearsal.aws.cluster_machines import ClusterMachines
    from rehearsal.cluster.link import from_environment

    return ClusterMachines(from_environment())


def _stores(account: Account) -> Callable[[str], Store]:
    """The API server behind an address: the control plane's where there is one, else a pretended one."""
    from rehearsal.account import CLUSTER_VARIABLE

    if not os.environ.get(CLUSTER_VARIABLE):
        from rehearsal.kubernetes.store import AccountStore

        return lambda server: AccountStore(account, server)
    from rehearsal.cluster.link import from_environment
    from rehearsal.kubernetes.cluster_store import ClusterStore

    link = from_environment()
    return lambda server: ClusterStore(account, server, link)


if __name__ == "__main__":
    # The wrapper runs this file, so Python put this folder first on the path, where `types` and others could hide.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    _without_sdk()
    main(sys.argv[1])
