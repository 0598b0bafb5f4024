"""One stack of one program on the engine: preview, up, refresh, destroy."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pulumi
from pulumi import automation as auto

from engine.binary import provide, version
from engine.command import Command
from engine.connections import keep_apart
from engine.events import Events, plain
from engine.loops import close_loop
from engine.operation import SECRET, Operation, Violation

#: How long the last events may take to arrive after the engine has ended.
EVENTS_SECONDS = 5.0
#: The format of exported deployments.
_STATE_VERSION = 3

Program = Callable[[], None]


class EngineError(Exception):
    """An operation failed. The text is one line per problem, in the provider's own words.

    `operation` holds what was done until then; `__cause__` is the program's own exception when it raised one.
    """

    def __init__(self, message: str, operation: Operation | None = None) -> None:
        super().__init__(message)
        self.operation = operation


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """The settings of the last update that succeeded, by full key (`gpu-slices:replicas`).

    None before the first one and after a destroy; `unfinished` where a later one failed or was stopped.
    """

    config: Mapping[str, Any] | None
    unfinished: bool


class Stack:
    """A stack: `folder` holds Pulumi.yaml and Pulumi.<name>.yaml, `program` declares the resources in this process.

    `env` is given to the engine and so to its providers (PULUMI_BACKEND_URL, PULUMI_CONFIG_PASSPHRASE, …), on top of
    this process's environment. `policy_pack` is a folder that every preview and up is judged by, `policy_config` its
    configuration, a JSON file. Raises NoEngine, and EngineError where the stack can't be selected.
    """

    def __init__(
        self,
        name: str,
        *,
        folder: Path,
        program: Program,
        env: Mapping[str, str] | None = None,
        binary: Path | None = None,
        create: bool = False,
        policy_pack: Path | None = None,
        policy_config: Path | None = None,
    ) -> None:
        keep_apart()
        binary = binary or provide()
        self._packs = [str(policy_pack)] if policy_pack else None
        self._pack_configs = [str(policy_config)] if policy_config else None
        self.name = name
        self.folder = folder
        self._program = program
        self._raised: Exception | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._command = Command(binary, version(binary) or "")
        workspace = auto.LocalWorkspace(
            work_dir=str(folder), program=self._run_program, env_vars=env, pulumi_command=self._command
        )
        select = auto.Stack.create_or_select if create else auto.Stack.select
        try:
            self._stack = select(name, workspace)
        except auto.CommandError as problem:
            raise EngineError(f"stack {name}: {_cli_words(problem)}") from None

    def preview(self, *, refresh: bool = False) -> Operation:
        """What `up` would do."""
        return self._operate(
            "preview",
            lambda events: self._stack.preview(
                on_event=events.add,
                refresh=refresh,
                policy_packs=self._packs,
                policy_pack_configs=self._pack_configs,
            ),
        )

    def up(self, *, refresh: bool = False) -> Operation:
        """Makes the world what the program says."""
        return self._operate(
            "up",
            lambda events: self._stack.up(
                on_event=events.add,
                refresh=refresh,
                policy_packs=self._packs,
                policy_pack_configs=self._pack_configs,
            ),
        )

    def refresh(self) -> Operation:
        """Makes the state what the world is."""
        return self._operate("refresh", lambda events: self._stack.refresh(on_event=events.add))

    def destroy(self) -> Operation:
        """Deletes everything in the state."""
        return self._operate("destroy", lambda events: self._stack.destroy(on_event=events.add))

    def outputs(self) -> Mapping[str, Any]:
        """The stack's outputs after the last up, secrets masked."""
        outputs = self._stack.outputs()
        return {name: SECRET if output.secret else output.value for name, output in sorted(outputs.items())}

    def deployed(self) -> Deployed:
        """What the backend remembers of the updates so far. Secrets are masked. Raises EngineError."""
        try:
            history = self._stack.history(show_secrets=False)
        except auto.CommandError as problem:
            raise EngineError(f"history of stack {self.name}: {_cli_words(problem)}") from None
        updates = [one for one in history if one.kind in ("update", "destroy")]
        done = next((one for one in updates if one.result == "succeeded"), None)
        config = None if done is None or done.kind == "destroy" else _plain_config(done.config)
        return Deployed(config=config, unfinished=bool(updates) and updates[0].result != "succeeded")

    def export(self) -> Mapping[str, Any]:
        """The deployment, secrets in clear as the CLI's `--show-secrets`: `resources`, `pending_operations`, …"""
        return cast("Mapping[str, Any]", self._stack.export_stack().deployment or {})

    def restore(self, deployment: Mapping[str, Any]) -> None:
        """Makes a deployment that `export` gave the stack's own. Raises EngineError where the engine does not take it."""
        try:
            self._stack.import_stack(auto.Deployment(version=_STATE_VERSION, deployment=dict(deployment)))
        except auto.CommandError as problem:
            raise EngineError(f"import into stack {self.name}: {_cli_words(problem)}") from None

    def tag(self, key: str, value: str) -> None:
        """Tags the stack in its backend, where policies can read it."""
        self._stack.set_tag(key, value)

    def cancel(self) -> None:
        """Releases the lock that a killed engine has left."""
        self._stack.cancel()

    def _run_program(self) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            self._program()
        except Exception as problem:
            self._raised = problem
            raise pulumi.RunError(str(problem) or type(problem).__name__) from None

    def _operate(self, kind: str, run: Callable[[Events], object]) -> Operation:
        events = Events()
        started = time.monotonic()
        self._raised, failure = None, None
        try:
            run(events)
        except auto.CommandError as problem:
            failure = problem
        except KeyboardInterrupt:
            if self._command.killed:
                self.cancel()
            raise
        finally:
            close_loop(self._loop)
            self._loop = None
        events.ended.wait(EVENTS_SECONDS if failure is None else 1.0)
        operation = Operation(
            kind=kind,
            changes=events.ordered(),
            unchanged=len(events.unchanged),
            diagnostics=tuple(events.diagnostics),
            violations=tuple(events.violations),
            outputs=events.outputs,
            seconds=time.monotonic() - started,
        )
        if failure is not None:
            words = _problems(operation) or (_cli_words(failure),)
            text = "\n".join(f"{kind} of stack {self.name} failed: {word}" for word in words)
            raise EngineError(text, operation) from self._raised
        return operation


#: What the engine adds to a provider's own words, or says beside them.
_ENVELOPE = re.compile(
    r"^(?:error: |python inline source runtime error: |RPC error: |rpc error: code = \w+ desc = |\d+ error occurred:|\* )+"
)
_BESIDE = re.compile(
    r"^(?:preview|update|destroy|refresh) failed$|^an unhandled error occurred|^Program failed with"
    r"|exited prematurely|grpc: the client connection is closing|resource monitor shut down"
    r"|^Resource monitor has terminated"
    r"|^Exception calling application: <_InactiveRpcError"
)


def _plain_config(config: Mapping[str, auto.ConfigValue]) -> dict[str, Any]:
    """Settings as plain values; the backend keeps lists and mappings as JSON text."""
    return {key: SECRET if value.secret else _plain_value(value.value) for key, value in sorted(config.items())}


def _plain_value(text: Any) -> Any:
    if not isinstance(text, str) or text[:1] not in ("{", "["):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _problems(operation: Operation) -> tuple[str, ...]:
    """One line per error, each once, in order, with the resource it is about; what policies forbid comes first."""
    forbidden = [(one.urn, _policy_words(one)) for one in operation.violations if one.mandatory]
    lines = [(error.urn, _one_line(error.message)) for error in operation.errors]
    told = [*forbidden, *((urn, line) for urn, line in lines if line and not _BESIDE.search(line))] or lines
    return tuple(dict.fromkeys(f"{_resource(urn)}{line}" for urn, line in told if line))


def _policy_words(violation: Violation) -> str:
    return f"policy {violation.policy}: {' '.join(violation.message.split())}"


def _one_line(message: str) -> str:
    """The words before a Python traceback, without envelopes, joined into one line."""
    words = message.split("Traceback (most recent call last)")[0].split(':\n  File "')[0]
    lines = (_ENVELOPE.sub("", line.strip()) for line in words.splitlines())
    return " ".join(line for line in lines if line)


def _resource(urn: str) -> str:
    if not urn or "pulumi:pulumi:Stack" in urn.split("::")[-2]:
        return ""
    type_, name = urn.split("::")[-2].rsplit("$", 1)[-1], urn.split("::")[-1]
    return f"{name} ({type_}): "


def _cli_words(problem: auto.CommandError) -> str:
    """The CLI's own error line; the automation library wraps it with exit code, stdout and stderr."""
    lines = [line.strip() for line in plain(str(problem)).splitlines()]
    errors = [_ENVELOPE.sub("", line) for line in lines if line.startswith("error:")]
    rest = [line.removeprefix("stderr:").strip() for line in lines if line]
    return " ".join(dict.fromkeys(errors)) or (rest[-1] if rest else "the engine said nothing")
