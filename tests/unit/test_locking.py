"""Promises of the write lock: one process at a time, the other is told which, and any end of a process frees it."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest
from installation import writer

from orchestration.locking import Locked, writing
from orchestration.settings import PROJECT_ROOT, Settings

ENTER = """
import sys
from pathlib import Path
from orchestration.locking import writing
from orchestration.settings import Settings
with writing(Settings(home=Path(sys.argv[1]))):
    pass
"""


def enter(settings: Settings) -> subprocess.CompletedProcess[str]:
    """Another process takes the lock and leaves it again."""
    return subprocess.run(
        [sys.executable, "-c", ENTER, str(settings.home)], cwd=PROJECT_ROOT, capture_output=True, text=True, check=False
    )


def test_a_second_process_is_refused_and_told_who_writes(settings: Settings) -> None:
    told = f"{settings.home} is being written by process {{}} .*nothing was changed"
    with writer(settings.home) as process:
        with pytest.raises(Locked, match=told.format(process.pid)), writing(settings):
            pass
        with pytest.raises(Locked, match=told.format(process.pid)), writing(settings):
            pass


def test_a_process_that_has_finished_frees_the_lock(settings: Settings) -> None:
    with writer(settings.home) as process:
        process.communicate()
        with writing(settings):
            pass


def test_a_killed_process_frees_the_lock(settings: Settings) -> None:
    with writer(settings.home) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        with writing(settings):
            pass


def test_entering_again_in_the_same_process_is_free_and_the_outer_one_keeps_it(settings: Settings) -> None:
    with writing(settings):
        with writing(settings):
            pass
        assert "Locked" in enter(settings).stderr
    assert enter(settings).returncode == 0


def test_a_process_that_left_takes_the_lock_anew(settings: Settings) -> None:
    for _ in range(2):
        with writing(settings):
            assert "Locked" in enter(settings).stderr


def test_an_error_inside_frees_the_lock(settings: Settings) -> None:
    with pytest.raises(RuntimeError, match="inside"), writing(settings):
        raise RuntimeError("inside")
    assert enter(settings).returncode == 0


def test_another_home_is_another_lock(settings: Settings) -> None:
    with writer(settings.home), writing(Settings(home=settings.home / "another")):
        pass
