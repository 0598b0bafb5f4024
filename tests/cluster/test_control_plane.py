"""A control plane comes up whole, tells what is wrong with it, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from kubernetes import client, config

from rehearsal.cluster.control_plane import ControlPlane
from rehearsal.cluster.errors import ApiError, ClusterError
from rehearsal.cluster.http_api import Api
from rehearsal.cluster.programs import BIN, REPOSITORY
from rehearsal.cluster.workspace import sweep
from tests.cluster.platform_objects import FACTS, pod
from tests.cluster.waiting import eventually

pytestmark = pytest.mark.cluster

PARTS = {"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok", "supervisor"}
# Prints its folder and the processes it owns, then waits to be killed.
OWNER = """
import sys
from rehearsal.cluster.control_plane import ControlPlane
plane = ControlPlane.start()
pids = [part.pid for part in plane.control.status()]
print(plane.folder, *pids, flush=True)
sys.stdin.read()
"""


def test_every_part_runs_and_outside_tools_get_in_by_the_kubeconfig(plane: ControlPlane) -> None:
    status = plane.control.status()
    assert {part.name for part in status} == PARTS
    assert {part.state for part in status} == {"running"}

    api = client.CoreV1Api(config.new_client_from_config(str(plane.kubeconfig)))
    assert "kube-system" in {namespace.metadata.name for namespace in api.list_namespace().items}


def test_pods_are_scheduled_to_a_joined_node_and_run(plane: ControlPlane) -> None:
    plane.control.join_nodes("system", instance_type="t3.large", count=2)
    plane.api.create("/api/v1/namespaces/default/pods", pod("plain", resource=None))

    def running() -> bool:
        status = plane.api.get("/api/v1/namespaces/default/pods/plain")["status"]
        return status["phase"] == "Running"

    eventually(running)
    node = plane.api.get("/api/v1/nodes/system-0")
    assert node["status"]["allocatable"]["pods"] == "35"
    assert "nvidia.com/gpu" not in node["status"]["allocatable"]

    assert plane.control.remove_nodes("system", keep=1) == ("system-1",)
    assert [node["metadata"]["name"] for node in plane.api.get("/api/v1/nodes")["items"]] == ["system-0"]


def test_a_node_of_an_unknown_type_is_refused_by_name(plane: ControlPlane) -> None:
    with pytest.raises(ClusterError, match=r"no facts for instance type x9\.huge"):
        plane.control.join_nodes("odd", instance_type="x9.huge", count=1)


def test_rbac_is_on(plane: ControlPlane) -> None:
    account = "/api/v1/namespaces/default/serviceaccounts/default/token"
    token = plane.api.create(account, {"spec": {}})["status"]["token"]
    nobody = Api(server=plane.server, authority=plane.folder / "credentials" / "ca.crt", token=token)
    with pytest.raises(ApiError, match="cannot list resource"):
        nobody.get("/api/v1/nodes")


def test_nothing_listens_beyond_this_machine(plane: ControlPlane) -> None:
    pids = [part.pid for part in plane.control.status()]
    assert _listening_beyond_loopback(pids) == []


def test_a_killed_part_is_reported_and_can_be_started_again(fresh_plane: ControlPlane) -> None:
    control = fresh_plane.control
    control.kill_part("kube-scheduler")
    eventually(lambda: {part.name: part.state for part in control.status()}["kube-scheduler"] == "died")
    control.join_nodes("system", instance_type="t3.large", count=1)
    fresh_plane.api.create("/api/v1/namespaces/default/pods", pod("waits", resource=None))
    control.start_part("kube-scheduler")
    eventually(lambda: _phase(fresh_plane.api, "waits") == "Running")


def test_the_doubles_carry_on_after_the_api_server_was_killed(fresh_plane: ControlPlane) -> None:
    control = fresh_plane.control
    control.kill_part("kube-apiserver")
    eventually(lambda: not fresh_plane.api.is_ready())
    control.start_part("kube-apiserver")
    eventually(fresh_plane.api.is_ready)
    control.join_nodes("system", instance_type="t3.large", count=1)
    fresh_plane.api.create("/api/v1/namespaces/default/pods", pod("after", resource=None))
    eventually(lambda: _phase(fresh_plane.api, "after") == "Running")


def test_two_run_side_by_side_and_know_nothing_of_each_other(plane: ControlPlane) -> None:
    with ControlPlane.start(facts=FACTS) as other:
        assert other.server != plane.server
        other.api.create("/api/v1/namespaces", {"metadata": {"name": "only-there"}})
        assert plane.api.find("/api/v1/namespaces/only-there") is None
        pids, folder = [part.pid for part in other.control.status()], other.folder
    assert not any(map(_alive, pids))
    assert not folder.exists()
    assert plane.api.is_ready()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_nothing_is_left_when_its_owner_is_ended(programs: None, number: signal.Signals) -> None:
    owner, folder, pids = _owner()
    owner.send_signal(number)
    owner.communicate()
    eventually(lambda: not any(map(_alive, pids)))
    eventually(lambda: not folder.exists())


def test_no_process_is_left_when_its_supervisor_is_killed_and_the_owner_removes_the_folder(programs: None) -> None:
    with ControlPlane.start() as plane:
        pids = {part.name: part.pid for part in plane.control.status()}
        os.kill(pids["supervisor"], signal.SIGKILL)
        eventually(lambda: not any(_alive(pid) for name, pid in pids.items() if name != "supervisor"))
        with pytest.raises(ClusterError, match="no control plane answers"):
            plane.control.status()
    assert not plane.folder.exists()


def test_a_folder_that_nobody_could_remove_is_swept_later(programs: None) -> None:
    # A parent of its own: a control plane that starts beside this test would sweep it first.
    with tempfile.TemporaryDirectory(prefix="swept-") as parent:
        owner, folder, pids = _owner(Path(parent))
        # Owner first, stopped: it must not clean up after its supervisor.
        owner.send_signal(signal.SIGSTOP)
        os.kill(pids[-1], signal.SIGKILL)
        owner.kill()
        owner.communicate()
        eventually(lambda: not any(map(_alive, pids)))
        assert folder.exists()
        # A process's first thread may be gone while another still holds the folder's lock.
        eventually(lambda: sweep(Path(parent)) == (folder,))
        assert not folder.exists()


def test_a_part_that_does_not_come_up_is_named_with_the_end_of_its_log(programs: None, tmp_path: Path) -> None:
    for path in BIN.iterdir():
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "etcd").unlink()
    (tmp_path / "etcd").write_text("#!/bin/sh\necho the disk is full >&2\nexit 3\n")
    (tmp_path / "etcd").chmod(0o755)
    with pytest.raises(ClusterError, match=r"etcd ended with 3\. .*\nthe disk is full"):
        ControlPlane.start(bin_folder=tmp_path)


def test_a_missing_program_is_named_with_the_command_that_provides_it(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=r"needs crds, etcd, .*: run `make control-plane`"):
        ControlPlane.start(bin_folder=tmp_path)


def _owner(parent: Path | None = None) -> tuple[subprocess.Popen[str], Path, list[int]]:
    """Start a process that owns a control plane; return it, the folder and the pids of all parts, supervisor last."""
    env = {**os.environ, "TMPDIR": str(parent)} if parent else None
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER],
        cwd=REPOSITORY,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert owner.stdout is not None
    folder, *pids = owner.stdout.readline().split()
    return owner, Path(folder), [int(pid) for pid in pids]


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def _phase(api: Api, name: str) -> str:
    return str(api.get(f"/api/v1/namespaces/default/pods/{name}")["status"]["phase"])


def _listening_beyond_loopback(pids: list[int]) -> list[str]:
    """Return the addresses, as /proc writes them, on which these processes listen for others than this machine."""
    inodes = {
        os.readlink(link)[len("socket:[") : -1]
        for pid in pids
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if _is_socket(link)
    }
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            local, state, inode = fields[1], fields[3], fields[9]
            if state == "0A" and inode in inodes and not local.startswith("0100007F:"):
                found.append(local)
    return found


def _is_socket(link: Path) -> bool:
    try:
        return os.readlink(link).startswith("socket:[")
    except OSError:
        return False
