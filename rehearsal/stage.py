"""A stack on the real engine over the stand-ins, in a temporary folder that goes away at the end."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from engine import Operation, Stack, provide
from engine.stack import Program
from rehearsal.account import ACCOUNT_VARIABLE, CLUSTER_VARIABLE, EXISTING, Account, Item
from rehearsal.aws.types import TYPES
from rehearsal.existing import existing_world, handles_of
from rehearsal.faults import FAULTS_VARIABLE, Faults
from rehearsal.plugins import install, install_analyzer
from rehearsal.project import ROOT, project_name, project_program, with_setting


class Stage:
    """One stack being rehearsed. `folder` holds the copies of Pulumi.yaml and the stack file that are used.

    `faults.plan(Fault(operation="create", at=10))` makes the stand-ins fail from the next operation on.
    """

    def __init__(self, stack: Stack, folder: Path, account: Account, faults: Faults) -> None:
        self._stack = stack
        self._account = account
        self.faults = faults
        self.folder = folder
        self.preview: Callable[[], Operation] = stack.preview
        self.up: Callable[[], Operation] = stack.up
        self.refresh: Callable[[], Operation] = stack.refresh
        self.destroy: Callable[[], Operation] = stack.destroy
        self.cancel: Callable[[], None] = stack.cancel
        self.export: Callable[[], Mapping[str, Any]] = stack.export
        self.restore: Callable[[Mapping[str, Any]], None] = stack.restore
        self.outputs: Callable[[], Mapping[str, Any]] = stack.outputs
        self.tag: Callable[[str, str], None] = stack.tag

    @property
    def account(self) -> Account:
        """What exists in the pretended account and its clusters."""
        return self._account

    def edit(self, path: str, value: Any) -> None:
        """Sets one setting of the copied stack file, as `pulumi config set --path` does: `gpuNodePools.burst.replicas`.

        Keys without a namespace are the project's own; `None` removes the setting.
        """
        file = self.folder / f"Pulumi.{self._stack.name}.yaml"
        tree = yaml.safe_load(file.read_text()) or {}
        tree["config"] = with_setting(tree.get("config") or {}, path, value, project_name(self.folder))
        file.write_text(yaml.safe_dump(tree, sort_keys=False))

    def resources(self) -> tuple[Mapping[str, Any], ...]:
        """What is in the state, secrets opened; the stack itself left out."""
        stored = self._stack.export().get("resources") or ()
        return tuple(resource for resource in stored if resource["type"] != "pulumi:pulumi:Stack")

    def stored(self) -> tuple[Mapping[str, Any], ...]:
        """The same as it lies on the backend's disk, where secrets are ciphertext."""
        (file,) = (self.folder.parent / _BACKEND).glob(f".pulumi/stacks/**/{self._stack.name}.json")
        return tuple(json.loads(file.read_text())["checkpoint"]["latest"]["resources"])

    def left(self) -> tuple[str, ...]:
        """What is still in the state or in the account: empty after a destroy that forgot nothing.

        What belongs to the account for all its stacks, such as a GuardDuty detector, is to stay and does not count.
        """
        own = {resource["urn"] for resource in self.resources() if not _is_provider(resource)}
        existing = {
            item.urn or f"{item.type} {item.id}"
            for item in self._account.all()
            if item.urn != EXISTING and not (item.type in TYPES and TYPES[item.type].of_account)
        }
        return tuple(sorted(own | existing))


#: The folder of the file backend, beside the project's.
_BACKEND = "state"


@contextmanager
def stage(
    name: str,
    *,
    project_folder: Path = ROOT,
    program: Program | None = None,
    config: Mapping[str, Any] | None = None,
    existing: Sequence[Item] | None = None,
    control_plane: Path | None = None,
    policy_pack: Path | None = None,
    policy_config: Path | None = None,
) -> Iterator[Stage]:
    """Sets the stage for stack `name` of the project and clears it away, also after Ctrl-C.

    `program` defaults to the project's `__main__.py`. `config` replaces the stack file's settings, for projects that
    have none. `existing` is what the account holds beforehand (urn=EXISTING); without it, the network and the cluster
    that the stack file takes for granted (existing_world). `control_plane` is the folder of a real one
    (ControlPlane.folder), which then answers for Kubernetes. `policy_pack` is a folder that previews and ups are
    judged by, with the configuration in the JSON file `policy_config`. Raises NoEngine, EngineError.
    """
    binary = provide()
    with tempfile.TemporaryDirectory(prefix="gpu-slices-") as temporary:
        base = Path(temporary)
        folder, home, backend = base / "project", base / "home", base / _BACKEND
        for made in (folder, home, backend):
            made.mkdir()
        _copy_project(project_folder, folder, name, config)
        install(home)
        if policy_pack:
            install_analyzer(home, policy_pack)
        account = Account(base / "account.sqlite")
        for item in existing_world(folder / f"Pulumi.{name}.yaml") if existing is None else existing:
            account.put(item, handles_of(item))
        env = {
            "PULUMI_HOME": str(home),
            # Without the descriptions beside its files: one that a killed engine left half-written hides the whole state.
            "PULUMI_BACKEND_URL": f"{backend.as_uri()}?metadata=skip",
            "PULUMI_CONFIG_PASSPHRASE": "rehearsal",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",
            "KUBECONFIG": "",
            ACCOUNT_VARIABLE: str(base / "account.sqlite"),
            CLUSTER_VARIABLE: str(control_plane or ""),
            FAULTS_VARIABLE: str(base / "faults.sqlite"),
        }
        run = program or project_program(project_folder)
        try:
            stack = Stack(
                name,
                folder=folder,
                program=run,
                env=env,
                binary=binary,
                create=True,
                policy_pack=policy_pack,
                policy_config=policy_config,
            )
            yield Stage(stack, folder, account, Faults(base / "faults.sqlite"))
        finally:
            account.close()


def _copy_project(source: Path, folder: Path, name: str, config: Mapping[str, Any] | None) -> None:
    shutil.copy(source / "Pulumi.yaml", folder)
    stack_file = f"Pulumi.{name}.yaml"
    if config is not None:
        (folder / stack_file).write_text(yaml.safe_dump({"config": dict(config)}, sort_keys=False))
    else:
        shutil.copy(source / stack_file, folder)


def _is_provider(resource: Mapping[str, Any]) -> bool:
    return resource["type"].startswith("pulumi:providers:")
