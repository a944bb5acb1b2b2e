"""Promises to whoever reads while a run publishes: always one whole release, never an error."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from installation import PROVE, Published, copy_of, current, environment, settings_of

from orchestration import dbt
from orchestration.assets.delivery import release_inputs
from orchestration.audit.verify import verify
from orchestration.locking import writing
from orchestration.release.dictionary import Mart, marts_of
from orchestration.release.publications import releases
from orchestration.release.publish import export, put_in_place, release_id
from orchestration.release.summary import summarise
from orchestration.settings import PROJECT_ROOT, Settings
from orchestration.warehouse import open_warehouse

PUBLISHES = 20 if PROVE else 4
MARKED = ("customer.customer_360", "tiering.customer_tiers", "scoring.customer_rfm")

# Reads the mark in three marts, over and over: through the database, or the Parquet files of the current folder.
READER = """
import json, sys
from pathlib import Path
import duckdb
from orchestration.release.catalogue import connect, current_release
from orchestration.settings import load_settings
how, stop = sys.argv[1], Path(sys.argv[2])
marts = ("customer_360", "customer_tiers", "customer_rfm")
seen, mixed, errors, reads = set(), [], [], 0
print("reading", flush=True)
while not stop.exists():
    try:
        if how == "database":
            with connect() as release:
                marks = [release.sql(f"select distinct policy_version from {mart}").fetchall() for mart in marts]
        else:
            folder = current_release(load_settings())
            files = [str(folder / f"{mart}.parquet") for mart in marts]
            with duckdb.connect() as parquet:
                query = "select distinct policy_version from read_parquet(?)"
                marks = [parquet.execute(query, [file]).fetchall() for file in files]
    except Exception as error:
        errors.append(str(error))
        continue
    reads += 1
    found = {mark for rows in marks for (mark,) in rows}
    seen |= found
    if len(found) != 1:
        mixed.append(sorted(found))
print(json.dumps({"reads": reads, "seen": sorted(seen), "mixed": mixed, "errors": errors}))
"""


def start_reader(home: Path, how: str, stop: Path) -> subprocess.Popen[str]:
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, how, str(stop)],
        cwd=PROJECT_ROOT,
        env=environment(home),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdout is not None
    assert reader.stdout.readline() == "reading\n"
    return reader


def publish(settings: Settings, marts: list[Mart], mark: str) -> None:
    """A release whose marts carry the mark, exported and put in place as a run does it."""
    with writing(settings), open_warehouse(settings) as build:
        for table in MARKED:
            build.execute(f"update {table} set policy_version = ?", [mark])
        folder, facts = export(settings, build, marts, release_inputs(build, f"run-{mark}"))
        facts |= summarise(folder) | {"release_id": release_id(facts), "published_at": "2026-01-01T00:00:00+00:00"}
        facts |= {"verdicts": {"sha256": "none"}}
        put_in_place(settings, folder, facts, build)


def test_two_readers_see_whole_releases_while_others_are_published(published_home: Published, tmp_path: Path) -> None:
    settings = settings_of(copy_of(published_home, tmp_path))
    marts = marts_of(dbt.manifest_document(dbt.manifest_path(settings)))
    stop = tmp_path / "stop"
    readers = [start_reader(settings.home, how, stop) for how in ("database", "files")]
    try:
        for number in range(PUBLISHES):
            publish(settings, marts, f"mark {number}")
    finally:
        stop.touch()
        told = [json.loads(reader.communicate()[0]) for reader in readers]
    for reading in told:
        assert (reading["mixed"], reading["errors"]) == ([], [])
        assert len(reading["seen"]) > PUBLISHES / 2
        assert reading["reads"] > PUBLISHES
    assert len(releases(settings)) == 2 + PUBLISHES
    assert current(settings.home).name.startswith(str(published_home.days[-1]))
    assert [found.file for found in verify(settings).alterations if "runs/" not in found.file] == []
