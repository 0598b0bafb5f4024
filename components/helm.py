"""The one place where a Helm release is declared."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as k8s

from gpu_slices.charts import Release


def declare_release(name: str, release: Release, opts: pulumi.ResourceOptions) -> k8s.helm.v3.Release:
    """The Pulumi resource `name` for a release. It waits for the rollout but never rolls back: one dead spot node
    must not undo a slice edit on all others."""
    return k8s.helm.v3.Release(
        name,
        name=release.name,
        chart=release.pin.reference,
        version=release.pin.version,
        repository_opts=k8s.helm.v3.RepositoryOptsArgs(repo=release.pin.repository),
        namespace=release.namespace,
        values=dict(release.values),
        timeout=release.timeout_seconds,
        skip_crds=release.skip_crds,
        atomic=False,
        skip_await=False,
        opts=opts,
    )
