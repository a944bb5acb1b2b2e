"""Promises of determinism: the same deliveries give the same content of every mart, whatever the threads, the order of
rows in a file, or whether days are decided as a range or alone.

That a build file made anew gives the same release is promised in ``test_published_release.py``.
"""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import duckdb
from installation import PROVE, Published, current, environment, rows, settings_of

from orchestration.demo.company import write_demo
from orchestration.plan import days_between
from orchestration.running import run_days
from orchestration.settings import PROJECT_ROOT, THREADS

SHUFFLE = 20251231  # one seed for every file, so that files with the same bytes keep the same bytes


def content(home: Path) -> dict[str, str | None]:
    """The content hash of every mart of the current release; None for audit marts, which speak of the run."""
    manifest = json.loads((current(home) / "manifest.json").read_text(encoding="utf-8"))
    return {name: mart["content_hash"] for name, mart in manifest["marts"].items()}


def delivered_again(published: Published, home: Path) -> Path:
    """A new home with the same deliveries: files keep their names and times, nothing has landed."""
    shutil.copytree(published.home / "landing", home / "landing")
    shutil.copyfile(published.home / "sources.yml", home / "sources.yml")
    return home


def decide(home: Path, days: tuple[date, ...], threads: int) -> None:
    """All days as one range with that many threads; the release is that of the last day."""
    decided = subprocess.run(
        [sys.executable, "-m", "orchestration.cli", "backfill", "--from", str(days[0]), "--to", str(days[-1])],
        cwd=PROJECT_ROOT,
        env=environment(home) | {"TIERING_THREADS": str(threads)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert decided.returncode == 0, decided.stderr


def test_one_thread_and_two_threads_give_the_same_marts(published_home: Published, tmp_path: Path) -> None:
    assert THREADS["test"] == 2
    home = delivered_again(published_home, tmp_path / "one")
    decide(home, published_home.days, threads=1)
    assert content(home) == content(published_home.home)


def test_files_with_their_rows_shuffled_give_the_same_marts(published_home: Published, tmp_path: Path) -> None:
    home = delivered_again(published_home, tmp_path / "shuffled")
    shuffled = dict.fromkeys(SHUFFLERS, 0)
    for file in sorted(file for file in (home / "landing").rglob("*.*") if file.suffix in SHUFFLERS):
        before = file.read_bytes()
        SHUFFLERS[file.suffix](file)
        shuffled[file.suffix] += file.read_bytes() != before
    assert all(count > 0 for count in shuffled.values()), shuffled
    decide(home, published_home.days, threads=2)
    assert content(home) == content(published_home.home)


if PROVE:  # about fifteen minutes: make prove

    def test_ninety_days_one_by_one_decide_what_they_decide_as_a_range(tmp_path: Path) -> None:
        one_by_one, as_a_range = settings_of(tmp_path / "one_by_one"), settings_of(tmp_path / "as_a_range")
        for settings in (one_by_one, as_a_range):
            first = write_demo(settings.home, scale="tiny", daily_days=92).first_day
        days = days_between(first, first + timedelta(days=89))
        assert run_days(as_a_range, days[0], days[-1], lambda *_: None).success
        for day in days:
            assert run_days(one_by_one, day, day, lambda *_: None).success, day
            alone, together = (
                rows(f"from read_parquet('{settings.decisions}/{day}.parquet') order by all")
                for settings in (one_by_one, as_a_range)
            )
            assert alone == together, day
        assert content(one_by_one.home) == content(as_a_range.home)


def shuffle_csv(file: Path) -> None:
    """Lines after the header, as bytes: the encoding stays. Neither UTF-8 nor GB18030 has a newline inside a letter."""
    header, *lines = file.read_bytes().splitlines(keepends=True)
    random.Random(SHUFFLE).shuffle(lines)
    file.write_bytes(b"".join([header, *lines]))


def shuffle_parquet(file: Path) -> None:
    rewritten = file.with_suffix(".shuffled")
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            copy (select * from read_parquet('{file}') as delivered order by md5(delivered::varchar))
            to '{rewritten}' (format parquet, compression zstd)
            """
        )
    rewritten.replace(file)


def shuffle_xlsx(file: Path) -> None:
    """Rows of the sheet below the header, numbered anew; every cell stays as it was written."""
    with zipfile.ZipFile(file) as workbook:
        parts = [(part, workbook.read(part)) for part in workbook.infolist()]
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as workbook:
        for part, data in parts:
            is_sheet = part.filename == "xl/worksheets/sheet1.xml"
            workbook.writestr(part, shuffled_sheet(data.decode("utf-8")) if is_sheet else data)


def shuffled_sheet(xml: str) -> str:
    start, end = xml.index("<row "), xml.index("</sheetData>")
    header, *rows = re.findall(r"<row .*?</row>", xml[start:end], re.DOTALL)
    random.Random(SHUFFLE).shuffle(rows)
    numbered = [re.sub(r'( r="[A-Z]*)\d+"', rf'\g<1>{line}"', row) for line, row in enumerate([header, *rows], start=1)]
    return xml[:start] + "".join(numbered) + xml[end:]


SHUFFLERS: dict[str, Callable[[Path], None]] = {".csv": shuffle_csv, ".parquet": shuffle_parquet, ".xlsx": shuffle_xlsx}
