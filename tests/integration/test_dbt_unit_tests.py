"""Every rule's boundaries are dbt unit tests beside the models; here they run, on the relations of a real build."""

from __future__ import annotations

from pathlib import Path

from installation import Published, copy_of

from orchestration import dbt
from orchestration.settings import Settings

FEWEST = 110


def test_every_dbt_unit_test_passes(published_home: Published, tmp_path: Path) -> None:
    home = copy_of(published_home, tmp_path)
    results = dbt.build(Settings(home=home, environment="test"), ["--select", "test_type:unit"], command="test")
    failed = [f"{result.unique_id}: {result.message}" for result in results if result.status != "pass"]
    assert not failed, "\n".join(failed)
    assert len(results) >= FEWEST, f"only {len(results)} unit tests were found"
