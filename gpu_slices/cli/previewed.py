"""Runs the engine's preview of a stack on a copy of its files: on the real backend, or rehearsed on stand-ins.

The only place of the command line that knows the engine; imported only by commands that need it.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from engine.binary import NoEngine, provide
from engine.operation import Operation
from engine.stack import EngineError, Stack
from rehearsal.project import project_program
from rehearsal.stage import stage

from ..naming import PROJECT
from ..review.engine_changes import EngineChanges, engine_changes
from ..review.sides import Edits
from ..settings.model import REGION_KEY
from ..settings.stack_file import read_stack_text
from .policy_pack import PolicyPack

#: What a backend writes into a stack file beside `config`.
_SALT: Final = "encryptionsalt"
#: How the engine says that the backend does not have a stack.
_UNKNOWN_STACK: Final = "no stack named"


@dataclass(frozen=True, kw_only=True)
class Previewed:
    """What the engine said. `deployed` are raw settings of the last update, None where there was none.

    `changes` is None where the engine could not begin; `problem` then says why, in one line. `unknown_stack` is set
    where the backend does not know the stack.
    """

    deployed: Mapping[str, Any] | None = None
    unfinished: bool = False
    changes: EngineChanges | None = None
    problem: str = ""
    unknown_stack: bool = False


def preview_deployed(
    stack: str, project: Path, file: Path, edits: Edits, policy: PolicyPack, *, refresh: bool
) -> Previewed:
    """The stack in its backend against the file with edits. Nothing is written to the project's folder."""
    with _folder(project, file, _edited(file, edits)) as folder:
        try:
            program = project_program(project)
            opened = Stack(
                stack, folder=folder, program=program, policy_pack=policy.folder, policy_config=policy.config
            )
            deployed = opened.deployed()
        except NoEngine as reason:
            return Previewed(problem=str(reason))
        except EngineError as reason:
            unknown = _UNKNOWN_STACK in str(reason)
            return Previewed(problem=_line(stack, str(reason), unknown), unknown_stack=unknown)
        _tell(f"the engine previews stack {stack} …")
        return Previewed(
            deployed=None if deployed.config is None else own_settings(deployed.config),
            unfinished=deployed.unfinished,
            changes=_changes(lambda: opened.preview(refresh=refresh)),
        )


def preview_rehearsed(
    stack: str, project: Path, base: Mapping[str, Any] | None, file: Path, edits: Edits, policy: PolicyPack
) -> Previewed:
    """The same on stand-ins: brought up with the settings `base` first, then previewed with the file and its edits."""
    new = _edited(file, edits)
    first = new if base is None else _with_settings(new, base)
    try:
        provide()
    except NoEngine as reason:
        return Previewed(problem=str(reason))
    with (
        _folder(project, file, first) as folder,
        stage(
            stack,
            project_folder=folder,
            program=project_program(project),
            policy_pack=policy.folder,
            policy_config=policy.config,
        ) as staged,
    ):
        if base is not None:
            _tell(f"stack {stack} comes up on stand-ins …")
            try:
                staged.up()
            except EngineError as reason:
                return Previewed(deployed=base, problem=str(reason))
            own = staged.folder / f"Pulumi.{stack}.yaml"
            salt = (yaml.safe_load(own.read_text()) or {}).get(_SALT)
            own.write_text(yaml.safe_dump({**new, **({_SALT: salt} if salt else {})}, sort_keys=False))
        _tell(f"the engine previews stack {stack} on stand-ins …")
        return Previewed(deployed=base, changes=_changes(staged.preview))


def own_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Raw settings of our namespace, as settings.parse takes them, from a configuration with full keys."""
    prefix = f"{PROJECT}:"
    raw = {key.removeprefix(prefix): value for key, value in config.items() if key.startswith(prefix)}
    return {**raw, REGION_KEY: config[REGION_KEY]} if REGION_KEY in config else raw


def _changes(preview: Any) -> EngineChanges:
    try:
        operation: Operation = preview()
    except EngineError as reason:
        until = reason.operation or Operation(kind="preview")
        return engine_changes(until.changes, until.unchanged, str(reason).splitlines())
    return engine_changes(operation.changes, operation.unchanged)


def _edited(file: Path, edits: Edits) -> dict[str, Any]:
    text = file.read_text(encoding="utf-8")
    tree = yaml.safe_load(text)
    if not (edits.sets or edits.unsets):
        return tree
    return _with_settings(tree, edits.applied(read_stack_text(text, file).raw))


def _with_settings(tree: Mapping[str, Any], raw: Mapping[str, Any]) -> dict[str, Any]:
    """A stack file's content with other settings of ours; other namespaces and secrets stay."""
    others = {
        key: value
        for key, value in (tree.get("config") or {}).items()
        if ":" in key and not key.startswith(f"{PROJECT}:") and key != REGION_KEY
    }
    own = {key if key == REGION_KEY else f"{PROJECT}:{key}": value for key, value in raw.items()}
    return {**tree, "config": {**others, **own}}


@contextmanager
def _folder(project: Path, file: Path, content: Mapping[str, Any]) -> Iterator[Path]:
    """Pulumi.yaml and one stack file in a folder of their own, which goes away again."""
    with tempfile.TemporaryDirectory(prefix="gpu-slices-preview-") as temporary:
        folder = Path(temporary)
        shutil.copy(project / "Pulumi.yaml", folder)
        (folder / file.name).write_text(yaml.safe_dump(dict(content), sort_keys=False), encoding="utf-8")
        yield folder


def _line(stack: str, words: str, unknown: bool) -> str:
    line = " ".join(words.replace("error: ", "").split())
    return f"{line} - if it is new: pulumi stack init {stack}" if unknown else line


def _tell(words: str) -> None:
    print(words, file=sys.stderr)
