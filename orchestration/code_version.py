"""Which code is running: the commit, with a mark when the work tree differs from it, or the installed version."""

from __future__ import annotations

import subprocess
from importlib.metadata import version

from orchestration.settings import PROJECT_ROOT


def code_version() -> str:
    """``<commit>``, ``<commit>+changed``, or ``v<version>`` outside a git checkout."""
    if not (PROJECT_ROOT / ".git").exists():
        return f"v{version('customer-tiering')}"
    commit = _git("rev-parse", "--short=12", "HEAD")
    return commit + ("+changed" if _git("status", "--porcelain") else "")


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()
