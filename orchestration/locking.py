"""One writer at a time: a lock on the installation, held by the operating system and so freed by any kill."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestration.settings import Settings

_held: set[Path] = set()


class Locked(RuntimeError):
    """Another process is writing."""


@contextmanager
def writing(settings: Settings) -> Iterator[None]:
    """Hold the installation's write lock; entering again in the same process is free.

    Raises Locked at once, naming the process that holds it.
    """
    path = settings.home / "run.lock"
    if path in _held:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise Locked(
                f"{settings.home} is being written by {file.read().strip() or 'another process'}; "
                "nothing was changed, try again when it has finished"
            ) from error
        file.truncate(0)
        file.write(f"process {os.getpid()} ({' '.join([Path(sys.argv[0]).name, *sys.argv[1:]])})")
        file.flush()
        _held.add(path)
        try:
            yield
        finally:
            _held.discard(path)
