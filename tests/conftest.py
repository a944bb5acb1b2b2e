"""What tests share: settings of an empty home, and one published home built by the front door itself, once a session.

A test that changes a home works on a copy (``installation.copy_of``); the shared one stays as it was published.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import hypothesis
import pytest
from installation import KEY, PROVE, Published, copy_of, start_tiering, tiering

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
def published_home(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """The tiny demo: three days decided as one range, a fourth day on its own, a fifth one waiting to be decided."""
    home = tmp_path_factory.mktemp("published") / "home"
    write_demo(home, scale="tiny", daily_days=5)
    first, second, third, fourth, fifth = (END - timedelta(days=back) for back in (4, 3, 2, 1, 0))
    backfill = tiering(home, "backfill", "--from", str(first), "--to", str(third))
    run = tiering(home, "run", "--date", str(fourth))
    return Published(home, (first, second, third, fourth), fifth, backfill, run)


@pytest.fixture(scope="session")
def fifth_day_release(published_home: Published, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The id of the fifth day's release when nothing disturbs its run."""
    home = copy_of(published_home, tmp_path_factory.mktemp("undisturbed"))
    ran = start_tiering(home, "run", "--date", str(published_home.next_day))
    _, told = ran.communicate()
    assert ran.returncode == 0, told
    return (home / "releases" / "CURRENT").read_text(encoding="utf-8").strip()
