"""How a provider process finds the control plane of its rehearsal: one environment variable names its folder."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from rehearsal.account import CLUSTER_VARIABLE
from rehearsal.cluster.control import Control
from rehearsal.cluster.http_api import Api
from rehearsal.cluster.workspace import KUBECONFIG, SOCKET


@dataclass(frozen=True, kw_only=True)
class Link:
    """A control plane as a provider needs it: the API server as administrator, and the supervisor behind it."""

    api: Api
    control: Control


def from_environment() -> Link:
    """The control plane that CLUSTER_VARIABLE names. Raises KeyError without it, OSError when it has gone."""
    folder = Path(os.environ[CLUSTER_VARIABLE])
    config = json.loads((folder / KUBECONFIG).read_text())
    api = Api(
        server=config["clusters"][0]["cluster"]["server"],
        authority=folder / "credentials" / "ca.crt",
        token=config["users"][0]["user"]["token"],
    )
    return Link(api=api, control=Control(folder / SOCKET))
