"""`--policy-pack` and `--policy-pack-config`, as the Pulumi CLI calls them."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..settings import Mistake, SettingsError

#: What makes a folder a policy pack.
_PACK_FILE: Final = "PulumiPolicy.yaml"


@dataclass(frozen=True, kw_only=True)
class PolicyPack:
    """The pack that a preview is judged by, and its configuration, as absolute paths; None where none is named."""

    folder: Path | None = None
    config: Path | None = None


def add_policy_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the two options."""
    parser.add_argument("--policy-pack", type=Path, metavar="FOLDER", help="judge it by this policy pack")
    parser.add_argument("--policy-pack-config", type=Path, metavar="FILE", help="the pack's configuration, JSON")


def policy_pack_of(arguments: argparse.Namespace) -> PolicyPack:
    """What the options name. Raises SettingsError with everything that is not there."""
    folder, config = arguments.policy_pack, arguments.policy_pack_config
    mistakes = []
    if folder and not (folder / _PACK_FILE).is_file():
        mistakes.append(
            Mistake(path=f"--policy-pack {folder}", problem=f"has no {_PACK_FILE}", remedy="name its folder")
        )
    if config and not config.is_file():
        mistakes.append(Mistake(path=f"--policy-pack-config {config}", problem="is no file", remedy="name a JSON file"))
    if config and not folder:
        mistakes.append(Mistake(path="--policy-pack", problem="is missing", remedy="name the pack to configure"))
    if mistakes:
        raise SettingsError(mistakes)
    return PolicyPack(folder=folder and folder.resolve(), config=config and config.resolve())
