"""The temporary folder of one control plane: private, locked while its supervisor lives, swept when it does not."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

PREFIX = "gpu-slices-cluster-"
LOCK = "lock"
SOCKET = "control"
KUBECONFIG = "kubeconfig"
# The longest path that a Unix socket can be bound to (sun_path less its closing zero; 104 on macOS).
LONGEST_SOCKET_PATH = 103


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """Paths inside the folder, and the lock that tells its supervisor is alive."""

    folder: Path
    lock: int

    @property
    def socket(self) -> Path:
        """Unix socket of the control channel."""
        return self.folder / SOCKET

    @property
    def logs(self) -> Path:
        """One file per part, named after it."""
        return self.folder / "logs"

    @property
    def kubeconfig(self) -> Path:
        """Credentials of a cluster administrator."""
        return self.folder / KUBECONFIG

    def remove(self) -> None:
        """Delete the folder and let go of the lock."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self.lock)


def create(parent: Path | None = None) -> Workspace:
    """Make a folder that only this user can enter, under `parent` or the system's temporary folder."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    if len(str(folder / SOCKET)) > LONGEST_SOCKET_PATH:
        folder.rmdir()
        raise OSError(f"{folder} is too long a path for a Unix socket: set TMPDIR to a shorter folder")
    # Locked before it has its name: a sweep in another process never meets an unlocked one.
    lock = os.open(folder / f"{LOCK}.new", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    os.rename(folder / f"{LOCK}.new", folder / LOCK)
    (folder / "logs").mkdir()
    return Workspace(folder=folder, lock=lock)


def sweep(parent: Path | None = None) -> tuple[Path, ...]:
    """Remove folders of this user whose supervisor is gone (killed together with its owner); return them, sorted."""
    root = parent or Path(tempfile.gettempdir())
    return tuple(folder for folder in sorted(root.glob(f"{PREFIX}*")) if _is_abandoned(folder) and _removed(folder))


def _is_abandoned(folder: Path) -> bool:
    try:
        if folder.is_symlink() or folder.stat().st_uid != os.getuid():
            return False
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True


def _removed(folder: Path) -> bool:
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()
