"""What a stack may say, what is refused, with which words."""

from __future__ import annotations

from .mistakes import Mistake, SettingsError
from .model import Settings
from .parse import parse
from .stack_file import StackFile, read_stack_file

__all__ = ["Mistake", "Settings", "SettingsError", "StackFile", "parse", "read_stack_file"]
