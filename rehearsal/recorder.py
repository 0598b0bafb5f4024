"""The recording monitor: runs a program without an engine and remembers every declaration.

It answers as the stand-ins do, from the same tables: AWS's ids and ARNs, the children of the remote eks components,
Kubernetes objects. What it can't know is the past: there is no state, so no updates, replacements or name clashes
within the account.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import reset_options
from pulumi.runtime.mocks import MockMonitor, set_mocks
from pulumi.runtime.settings import SETTINGS

from engine.operation import LATER, SECRET
from rehearsal.account import Item
from rehearsal.answers import Answer, Declared, Monitor
from rehearsal.existing import existing_world
from rehearsal.project import ROOT, as_text, project_name, project_program, stack_config

Program = Callable[[], None]

#: Log levels as the engine numbers them.
_SEVERITIES = ("debug", "info", "warning", "error")


@dataclass(frozen=True, kw_only=True)
class Message:
    """What the program said through pulumi.info, pulumi.warn or pulumi.error."""

    severity: str
    text: str
    urn: str = ""


@dataclass(frozen=True, kw_only=True)
class Recording:
    """What a program declared, sorted by URN; outputs are the stack's, secrets masked.

    In a preview, outputs that only the cloud knows are LATER.
    """

    resources: tuple[Declared, ...]
    outputs: Mapping[str, Any]
    messages: tuple[Message, ...]

    def of(self, type_: str, name: str | None = None) -> tuple[Declared, ...]:
        """The resources of a type (and name)."""
        return tuple(r for r in self.resources if r.type == type_ and name in (None, r.name))

    @property
    def by_urn(self) -> Mapping[str, Declared]:
        """The resources by their URN."""
        return {resource.urn: resource for resource in self.resources}

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the program warned of."""
        return tuple(message.text for message in self.messages if message.severity == "warning")


@dataclass
class _Engine:
    """Takes the program's log messages."""

    messages: list[Message] = field(default_factory=list)

    def Log(self, request: Any) -> None:  # noqa: N802 - gRPC's name
        """Takes one message."""
        severity = _SEVERITIES[request.severity]
        if severity != "debug" and not request.ephemeral:
            self.messages.append(Message(severity=severity, text=request.message, urn=request.urn))


def record_stack(stack: str, folder: Path = ROOT, preview: bool = False) -> Recording:
    """The project's own program with the settings of its stack file."""
    config = stack_config(stack, folder)
    program = project_program(folder)
    existing = existing_world(folder / f"Pulumi.{stack}.yaml")
    return record(program, stack=stack, config=config, project=project_name(folder), preview=preview, existing=existing)


def record(
    program: Program,
    *,
    stack: str = "test",
    config: Mapping[str, Any] | None = None,
    project: str = "gpu-slices",
    preview: bool = False,
    existing: Sequence[Item] = (),
) -> Recording:
    """Runs a program and returns what it declared. Raises what the program raises, and what the stand-ins refuse.

    `config` has full keys (`gpu-slices:replicas`) and plain values. With `preview`, the cloud's answers are unknown.
    `existing` is what the account holds beforehand.
    """
    monitor, engine = Monitor(preview=preview, existing=existing), _Engine()
    with _loop():
        try:
            _set_up(monitor, engine, project, stack, preview, as_text(config or {}))
            outputs = _run(program)
        finally:
            reset_options()
    return Recording(resources=monitor.recorded(), outputs=outputs, messages=tuple(engine.messages))


def _set_up(
    monitor: MockMonitor, engine: _Engine, project: str, stack: str, preview: bool, config: dict[str, str]
) -> None:
    reset_options()
    set_mocks(Answer(), project=project, stack=stack, preview=preview, monitor=monitor)
    object.__setattr__(
        SETTINGS, "engine", engine
    )  # set_mocks only takes a logger, which loses the resource a message is about
    pulumi.runtime.set_all_config(config)


def _run(program: Program) -> dict[str, Any]:
    outputs: dict[str, Any] = {}

    async def resolved(value: object) -> object:
        output = pulumi.Output.from_input(value)
        if await output.is_secret():
            return SECRET
        return await output.future() if await output.is_known() else LATER

    async def run() -> None:
        program()
        exports = pulumi.runtime.get_root_resource().outputs  # type: ignore[union-attr]
        for name in sorted(exports):
            outputs[name] = await resolved(exports[name])

    pulumi.runtime.test(lambda: pulumi.Output.from_input(run()))()
    return outputs


@contextmanager
def _loop() -> Iterator[None]:
    """An event loop of our own, so that nothing left over reaches the caller's, and its threads end."""
    loop = asyncio.new_event_loop()
    # When one registration is refused, those that wait for it fail too: the first one is raised, the rest is noise.
    loop.set_exception_handler(lambda _loop, _context: None)
    asyncio.set_event_loop(loop)
    try:
        yield
    finally:
        pending = asyncio.all_tasks(loop)
        for task in pending:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
        asyncio.set_event_loop(None)
