"""What tests share: settings of an empty home, and one published home, built by the front door once for all workers.

A test that changes a home works on a copy (``installation.copy_of``); the shared one stays as it was published.
"""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from installation import KEY, PROVE, Published, copy_of, current, start_tiering, tiering

from orchestration.demo.company import END, write_demo
from orchestration.settings import Settings

hypothesis.settings.register_profile("test", max_examples=40, deadline=None)
hypothesis.settings.register_profile("prove", max_examples=2_000, deadline=None)
hypothesis.settings.load_profile("prove" if PROVE else "test")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A temporary, empty home under the fixed key of the tests."""
    return Settings(home=tmp_path / "home", environment="test", pseudonym_key=KEY)


@pytest.fixture(scope="session")
def published_home(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Published:
    """The tiny demo: three days decided as one range, a fourth day on its own, a fifth one waiting to be decided."""
    first, second, third, fourth, fifth = (END - timedelta(days=back) for back in (4, 3, 2, 1, 0))
    folder = _shared(tmp_path_factory, worker_id) / "published"
    home = folder / "home"

    def publish() -> list[dict[str, Any]]:
        write_demo(home, scale="tiny", daily_days=5)
        backfill = tiering(home, "backfill", "--from", str(first), "--to", str(third))
        run = tiering(home, "run", "--date", str(fourth))
        shutil.copytree(home, folder / "untouched", symlinks=True)
        return [vars(backfill), vars(run)]

    backfill, run = (subprocess.CompletedProcess(**told) for told in _once(folder, publish))
    return Published(home, (first, second, third, fourth), fifth, backfill, run)


@pytest.fixture(scope="session")
def fifth_day_release(published_home: Published, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> str:
    """The id of the fifth day's release when nothing disturbs its run."""
    folder = _shared(tmp_path_factory, worker_id) / "undisturbed"

    def decide() -> str:
        home = copy_of(published_home, folder)
        ran = start_tiering(home, "run", "--date", str(published_home.next_day))
        _, told = ran.communicate()
        assert ran.returncode == 0, told
        return (home / "releases" / "CURRENT").read_text(encoding="utf-8").strip()

    return str(_once(folder, decide))


@pytest.fixture(scope="session")
def fifth_day_home(fifth_day_release: str, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The home in which it was decided; nobody changes it."""
    home = _shared(tmp_path_factory, worker_id) / "undisturbed" / "home"
    assert current(home).name == fifth_day_release
    return home


def _shared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The folder that all workers of a session have in common."""
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


def _once(folder: Path, make: Callable[[], Any]) -> Any:
    """What ``make`` returns, as JSON carries it: made by the worker that asks first, while others wait for it."""
    folder.mkdir(exist_ok=True)
    made = folder / "made.json"
    with (folder / "turn.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not made.exists():
            made.write_text(json.dumps(make()), encoding="utf-8")
    return json.loads(made.read_text(encoding="utf-8"))
