"""How to reach a cluster, made from the control plane's outputs as the component does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rehearsal.eks.expansion import Out

#: The outputs that a kubeconfig is made of, in the order of the functions' arguments.
KUBECONFIG_OF = tuple(Out("cluster", name) for name in ("name", "endpoint", "certificateAuthority", "arn"))


def kubeconfig(name: str, endpoint: str, authority: Mapping[str, str], arn: str) -> dict[str, Any]:
    """A kubeconfig that asks the aws CLI for a token, as the component writes it."""
    arguments = ["--region", arn.split(":")[3], "eks", "get-token", "--cluster-name", name, "--output", "json"]
    env = [{"name": "KUBERNETES_EXEC_INFO", "value": '{"apiVersion": "client.authentication.k8s.io/v1beta1"}'}]
    login = {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "aws", "args": arguments, "env": env}
    return {
        "apiVersion": "v1",
        "clusters": [
            {"cluster": {"server": endpoint, "certificate-authority-data": authority["data"]}, "name": "kubernetes"}
        ],
        "contexts": [{"context": {"cluster": "kubernetes", "user": "aws"}, "name": "aws"}],
        "current-context": "aws",
        "kind": "Config",
        "users": [{"name": "aws", "user": {"exec": login}}],
    }


def kubeconfig_json(name: str, endpoint: str, authority: Mapping[str, str], arn: str) -> str:
    """The same as text."""
    return json.dumps(kubeconfig(name, endpoint, authority, arn), separators=(",", ":"))


def issuer(identities: list[Any]) -> str:
    """The OIDC issuer\'s address."""
    return identities[0]["oidcs"][0]["issuer"]
