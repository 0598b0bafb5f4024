"""The kubeconfig of an EKS cluster: short-lived tokens from the AWS CLI, no secret inside."""

from __future__ import annotations

import json


def kubeconfig(name: str, endpoint: str, certificate_authority: str, region: str) -> str:
    """Kubeconfig as JSON text; `certificate_authority` is base64 as EKS gives it."""
    command = ["--region", region, "eks", "get-token", "--cluster-name", name, "--output", "json"]
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": name, "cluster": {"server": endpoint, "certificate-authority-data": certificate_authority}}
            ],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
            "users": [
                {
                    "name": name,
                    "user": {
                        "exec": {
                            "apiVersion": "client.authentication.k8s.io/v1beta1",
                            "command": "aws",
                            "args": command,
                        }
                    },
                }
            ],
        }
    )
