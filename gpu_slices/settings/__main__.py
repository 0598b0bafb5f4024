"""Prints the `config:` block of Pulumi.yaml as the settings have it."""

from __future__ import annotations

import yaml

from .project_file import declared_keys

print(yaml.safe_dump({"config": declared_keys()}, sort_keys=False, width=110, allow_unicode=True), end="")
