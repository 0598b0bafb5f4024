"""How each part of the control plane is run: a function per part from the layout to its command, and no decisions."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rehearsal.cluster.credentials import LOOPBACK, Credentials
from rehearsal.cluster.process import Command

# Unix sockets in etcd's and the API server's working folder: no port, and nobody else can reach the store.
ETCD_CLIENT, ETCD_PEER = "unix://etcd:1", "unix://peer:1"
# Amazon EKS enables these beside Kubernetes' defaults (PodSecurity, ResourceQuota, LimitRanger and
# ValidatingAdmissionPolicy are defaults): docs.aws.amazon.com/eks, "platform versions".
ADMISSION_PLUGINS = ("NodeRestriction", "ExtendedResourceToleration")
# Clients' default rates (20 to 50 requests a second) are what a thousand pods wait for.
CLIENT_RATE = ("--kube-api-qps=1000", "--kube-api-burst=2000")
CLUSTER_CIDR, SERVICE_CIDR = "10.0.0.0/16", "172.20.0.0/16"
LEASE_SECONDS = 40


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where things lie and on which port the API server listens."""

    bin: Path
    folder: Path
    logs: Path
    credentials: Credentials
    port: int

    @property
    def server(self) -> str:
        """URL of the API server."""
        return f"https://{LOOPBACK}:{self.port}"

    def command(self, program: str, *arguments: str, environment: Mapping[str, str] | None = None) -> Command:
        """Return the command of a part named as its program."""
        base = {"PATH": os.defpath, "HOME": str(self.folder), "TMPDIR": str(self.folder)}
        return Command(
            name=program,
            argv=(str(self.bin / program), *arguments),
            environment=base | dict(environment or {}),
            folder=self.folder,
            log=self.logs / f"{program}.log",
        )


@dataclass(frozen=True, kw_only=True)
class KarpenterOptions:
    """What the rehearsal sets of Karpenter's own options; the defaults are the chart's, NodeOverlay apart."""

    instance_types: Path
    feature_gates: Mapping[str, bool] = field(default_factory=lambda: {"NodeOverlay": True})
    batch_idle_seconds: float = 1.0
    batch_max_seconds: float = 10.0
    log_level: str = "info"
    environment: Mapping[str, str] = field(default_factory=dict)


def etcd(layout: Layout) -> Command:
    """The store: everything in it is temporary, so no fsync, few snapshots, a small quota."""
    return layout.command(
        "etcd",
        f"--data-dir={layout.folder / 'etcd'}",
        f"--listen-client-urls={ETCD_CLIENT}",
        f"--advertise-client-urls={ETCD_CLIENT}",
        f"--listen-peer-urls={ETCD_PEER}",
        f"--initial-advertise-peer-urls={ETCD_PEER}",
        f"--initial-cluster=default={ETCD_PEER}",
        "--unsafe-no-fsync",
        "--snapshot-count=5000",
        "--quota-backend-bytes=1073741824",
        "--log-level=warn",
        environment={"GOGC": "50"},
    )


def apiserver(layout: Layout) -> Command:
    """The API server: loopback only, RBAC, tokens made for this folder, EKS' admission plugins."""
    credentials = layout.credentials
    return layout.command(
        "kube-apiserver",
        f"--etcd-servers={ETCD_CLIENT}",
        f"--bind-address={LOOPBACK}",
        f"--advertise-address={LOOPBACK}",
        "--endpoint-reconciler-type=none",
        f"--secure-port={layout.port}",
        "--permit-port-sharing=true",
        f"--tls-cert-file={credentials.certificate}",
        f"--tls-private-key-file={credentials.key}",
        f"--token-auth-file={credentials.token_file}",
        "--anonymous-auth=false",
        "--authorization-mode=Node,RBAC",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-signing-key-file={credentials.service_account_key}",
        f"--service-account-key-file={credentials.service_account_key}",
        f"--service-cluster-ip-range={SERVICE_CIDR}",
        f"--enable-admission-plugins={','.join(ADMISSION_PLUGINS)}",
        "--allow-privileged=true",
        # Where the doubles' kubelets listen; node names are no hosts here.
        "--kubelet-preferred-address-types=InternalIP",
        "--profiling=false",
    )


def controller_manager(layout: Layout) -> Command:
    """Every controller, each under its own service account, so that RBAC's defaults are the ones in force."""
    credentials = layout.credentials
    return layout.command(
        "kube-controller-manager",
        f"--kubeconfig={credentials.kubeconfig('system:kube-controller-manager')}",
        f"--service-account-private-key-file={credentials.service_account_key}",
        f"--root-ca-file={credentials.authority}",
        "--use-service-account-credentials=true",
        "--leader-elect=false",
        "--secure-port=0",
        f"--cluster-cidr={CLUSTER_CIDR}",
        "--allocate-node-cidrs=false",
        "--profiling=false",
        *CLIENT_RATE,
    )


def scheduler(layout: Layout) -> Command:
    """The scheduler with its default profile."""
    return layout.command(
        "kube-scheduler",
        f"--kubeconfig={layout.credentials.kubeconfig('system:kube-scheduler')}",
        "--leader-elect=false",
        "--secure-port=0",
        "--profiling=false",
        *CLIENT_RATE,
    )


def kwok(layout: Layout, stages: Path) -> Command:
    """Plays pods by `stages` and renews node leases, without which the node lifecycle controller taints every node."""
    return layout.command(
        "kwok",
        f"--kubeconfig={layout.credentials.kubeconfig('kwok')}",
        f"--config={stages}",
        "--manage-all-nodes=true",
        f"--node-lease-duration-seconds={LEASE_SECONDS}",
        f"--cidr={CLUSTER_CIDR}",
    )


def karpenter(layout: Layout, options: KarpenterOptions, ready_file: Path) -> Command:
    """Karpenter's core. Its metrics and health ports are the system's choice: the program cannot switch them off."""
    gates = ",".join(f"{name}={str(on).lower()}" for name, on in sorted(options.feature_gates.items()))
    return layout.command(
        "karpenter",
        environment={
            "KUBECONFIG": str(layout.credentials.kubeconfig("karpenter")),
            "DISABLE_LEADER_ELECTION": "true",
            "FEATURE_GATES": gates,
            "INSTANCE_TYPES_FILE_PATH": str(options.instance_types),
            "METRICS_PORT": "0",
            "HEALTH_PROBE_PORT": "0",
            "KUBE_CLIENT_QPS": "1000",
            "KUBE_CLIENT_BURST": "2000",
            "BATCH_IDLE_DURATION": f"{options.batch_idle_seconds:g}s",
            "BATCH_MAX_DURATION": f"{options.batch_max_seconds:g}s",
            "LOG_LEVEL": options.log_level,
            "READY_FILE": str(ready_file),
            **options.environment,
        },
    )
