"""Which code is running: the commit, with a mark when the work tree differs from it, or the installed version; and the
hash of the packages it is locked to."""

from __future__ import annotations

import hashlib
import subprocess
from importlib.metadata import version

from orchestration.settings import PROJECT_ROOT


def code_version() -> str:
    """``<commit>``, ``<commit>+changed``, or ``v<version>`` outside a git checkout."""
    if not (PROJECT_ROOT / ".git").exists():
        return f"v{version('customer-tiering')}"
    commit = _git("rev-parse", "--short=12", "HEAD")
    return commit + ("+changed" if _git("status", "--porcelain") else "")


def lock_sha256() -> str | None:
    """The sha256 of requirements.lock; None for an installation without the project's sources."""
    lock = PROJECT_ROOT / "requirements.lock"
    return hashlib.sha256(lock.read_bytes()).hexdigest() if lock.exists() else None


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()
