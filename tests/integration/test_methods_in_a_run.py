"""Promises of the comparison in a run: kept with the release that made it, shown until the next month, under proof."""

from __future__ import annotations

import hashlib
from pathlib import Path

from installation import Published, copy_of, settings_of

from ml.store import read_comparisons
from orchestration.audit.verify import verify


def methods_section(release: Path) -> str:
    page = (release / "report.html").read_text(encoding="utf-8")
    return page[page.index('id="methods"') : page.index('id="movements"')]


def test_the_first_release_of_a_month_makes_a_comparison_that_those_after_it_show(published_home: Published) -> None:
    (file,) = (published_home.home / "models" / "comparisons").iterdir()
    # The range of three days was released as of its last; the day after it found its month's comparison there.
    assert file.stem == f"{published_home.days[2]}-{hashlib.sha256(file.read_bytes()).hexdigest()[:12]}"
    assert published_home.days[3].month == published_home.days[2].month
    shown = [methods_section(release) for release in sorted((published_home.home / "releases").glob("[0-9]*"))]
    assert len(shown) == 2
    assert [f"version {file.stem}" in told for told in shown] == [True, True]
    (comparison,) = read_comparisons(published_home.home / "models").values()
    assert not any(member in told for told in shown for one in comparison.clusters for member in one.members)


def test_a_comparison_whose_bytes_were_altered_is_named(published_home: Published, tmp_path: Path) -> None:
    settings = settings_of(copy_of(published_home, tmp_path))
    assert verify(settings).is_sound
    (file,) = (settings.models / "comparisons").iterdir()
    file.write_bytes(file.read_bytes().replace(b"T4", b"T1"))
    (alteration,) = verify(settings).alterations
    assert alteration.file == f"models/comparisons/{file.name}"
