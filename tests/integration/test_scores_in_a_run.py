"""Promises of scores in a run: everyone has a row, the model stays with the release, the future is not read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from installation import Published, copy_of, decisions, rows, settings_of, tiering

from ml.params import load_params
from ml.store import ModelStoreError, read_models
from orchestration import dbt
from orchestration.scoring import score_run
from orchestration.warehouse import open_warehouse

# The features; when the next purchase came is what a model learns.
PANEL = (
    "select * exclude (as_of_date, next_purchase_date) from intermediate.int_customers__panel "
    "order by cutoff_date, customer_id"
)


def test_every_customer_has_a_score_or_the_reason_why_not(published_home: Published) -> None:
    with duckdb.connect(str(published_home.release / "serving.duckdb"), read_only=True) as release:
        scored = release.execute(
            """
            select scores.rung = 'none', scores.inactive_probability is null, scores.reason = 'no counted order yet',
                first_order_date is null, count(*)
            from customer_indicators left join customer_scores as scores using (customer_id)
            group by all
            """
        ).fetchall()
    assert {row[:4] for row in scored} == {(True, True, True, True), (False, False, False, False)}


def test_the_model_is_kept_under_its_hash_and_goes_with_the_release(published_home: Published) -> None:
    release = json.loads((published_home.release / "manifest.json").read_text(encoding="utf-8"))
    document = (published_home.release / "model.json").read_bytes()
    assert release["model"]["sha256"] == hashlib.sha256(document).hexdigest()
    assert release["model_version"].endswith(release["model"]["sha256"][:12])
    kept = {file.stem: file.read_bytes() for file in (published_home.home / "models").glob("*.json")}
    assert kept == {release["model_version"]: document}
    # Trained on the first day of the range, and still young enough on the day decided by itself.
    assert release["model"]["trained_on"] == str(published_home.days[0])
    ledger = rows(
        "select distinct model_version from read_parquet(?)", [str(published_home.home / "decisions" / "*.parquet")]
    )
    assert ledger == [(release["model_version"],)]


def test_a_day_whose_model_is_lost_or_altered_is_not_decided_again(published_home: Published, tmp_path: Path) -> None:
    home = copy_of(published_home, tmp_path)
    (model,) = (home / "models").glob("*.json")
    document = model.read_text(encoding="utf-8")
    model.unlink()
    before = decisions(home)
    told = tiering(home, "reproduce")
    assert told.returncode == 1
    assert f"{model.name} is missing, which decided {published_home.days[-1]}" in told.stderr
    examined = tiering(home, "doctor")
    assert examined.returncode == 1
    assert f"restore {model.name} from a backup of models/" in examined.stdout
    model.write_text(document.replace('"margin_rate":0', '"margin_rate":1'), encoding="utf-8")
    told = tiering(home, "run", "--date", str(published_home.next_day))
    assert told.returncode == 1
    assert "expected that of its name; restore it from a backup" in told.stderr
    assert decisions(home) == before


def test_a_step_that_is_repeated_scores_the_same_and_never_goes_without_its_model(
    published_home: Published, tmp_path: Path
) -> None:
    settings = settings_of(copy_of(published_home, tmp_path))
    told = "from ml.scores order by all"
    with open_warehouse(settings) as build:
        before = build.execute(told).fetchall()
        score_run(build, read_models(settings.models), load_params())
        assert build.execute(told).fetchall() == before
        assert before
        with pytest.raises(ModelStoreError, match="which is neither stored nor trained"):
            score_run(build, {}, load_params())


def test_a_day_before_the_released_one_has_the_scores_that_tiers_rest_on_and_no_others(
    published_home: Published, tmp_path: Path
) -> None:
    settings = settings_of(copy_of(published_home, tmp_path))
    deciding = "from ml.scores where horizon_days = 90 order by all"
    with open_warehouse(settings) as build:
        released = build.execute(deciding).fetchall()
        build.execute("update run.run_dates set is_release_date = false")
        score_run(build, read_models(settings.models), load_params())
        assert build.execute(deciding).fetchall() == released
        assert released
        for table in ("scores", "models"):
            assert build.execute(f"select distinct horizon_days from ml.{table}").fetchall() == [(90,)]


def _panel(home: Path, change: Callable[[duckdb.DuckDBPyConnection], Any]) -> list[tuple[Any, ...]]:
    """What models learn from, when the raw tables have been changed and everything built from them anew."""
    settings = settings_of(home)
    with duckdb.connect(str(settings.warehouse)) as build:
        build.execute("set timezone = 'UTC'")
        change(build)
    built = dbt.build(settings, ["--select", "+int_customers__panel", "--full-refresh"], command="run")
    assert {result.status for result in built} == {"success"}
    with duckdb.connect(str(settings.warehouse), read_only=True) as build:
        return build.execute(PANEL).fetchall()


@pytest.fixture(scope="module")
def home(published_home: Published, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy whose build file asks for the features of a cut-off half a year back."""
    home = copy_of(published_home, tmp_path_factory.mktemp("leaks"))
    with duckdb.connect(str(settings_of(home).warehouse)) as build:
        build.execute("delete from run.run_cutoffs")
        build.execute(
            "insert into run.run_cutoffs select as_of_date, ?, null from run.run_dates", [cutoff(published_home)]
        )
        build.execute("update run.run_builds set known_at = null, as_of_date = null, as_of_known_at = null")
    return home


def cutoff(published_home: Published) -> date:
    return published_home.days[-1] - timedelta(days=180)


def test_features_of_a_past_cut_off_know_nothing_of_what_came_after_it(published_home: Published, home: Path) -> None:
    """The same features when everything from the cut-off on is shuffled among its records, and when it is cut away."""
    day = cutoff(published_home)
    of_later_orders = f"order_id in (select order_id from raw.raw_sales__order where business_date >= '{day}')"

    def shuffle(build: duckdb.DuckDBPyConnection) -> None:
        for table, column, later in (
            ("raw_sales__order", "customer_ref", f"business_date >= '{day}'"),
            ("raw_sales__order", "business_date", f"business_date >= '{day}'"),
            ("raw_sales__return_line", "net_amount", f"business_date >= '{day}'"),
            ("raw_sales__order_line", "cost_amount", of_later_orders),
        ):
            build.execute(
                f"""
                create or replace temp table shuffled as
                with later as (select rowid as id, {column} as value from raw.{table} where {later})
                select given.id, taken.value
                from (select id, row_number() over (order by id) as nth from later) as given
                inner join (select value, row_number() over (order by hash(id)) as nth from later) as taken using (nth)
                """
            )
            build.execute(f"update raw.{table} set {column} = value from shuffled where raw.{table}.rowid = id")

    def truncate(build: duckdb.DuckDBPyConnection) -> None:
        build.execute(f"delete from raw.raw_sales__order_line where {of_later_orders}")
        build.execute(f"delete from raw.raw_sales__return_line where business_date >= '{day}'")
        build.execute(f"delete from raw.raw_sales__order where business_date >= '{day}'")

    known = _panel(home, lambda build: None)
    assert len(known) > 50
    assert _panel(home, shuffle) == known
    assert _panel(home, truncate) == known
    # Another cut-off is another answer: the comparison can fail.
    earlier = "update run.run_cutoffs set cutoff_date = cutoff_date - 30"
    assert _panel(home, lambda build: build.execute(earlier)) != known
