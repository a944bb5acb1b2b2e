"""Promises of published reasons: every score of a release has them, a sum that is off is caught, people read them."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
from installation import Published, copy_of, rows, settings_of, tiering

from orchestration import dbt
from orchestration.audit.dossier import dossier, page
from orchestration.settings import Settings

PROMISE = "assert_reasons_sum_to_the_score"
# The release date's scores as a champion's would be: what one of them is, parted in two.
AS_OF_A_CHAMPION = """
    update ml.models set rung = 'champion';
    delete from ml.reasons;
    insert into ml.reasons by name
    with told as (
        select as_of_date, customer_id, horizon_days, 'inactive_probability' as score_name,
            ln(inactive_probability / (1 - inactive_probability)) as linear
        from scoring.customer_scores where inactive_probability is not null
        union all
        select as_of_date, customer_id, horizon_days, 'expected_net_amount', ln(expected_net_amount)
        from scoring.customer_scores where inactive_probability is not null
    )
    select told.* exclude (linear), factor,
        cast(if(factor = 'base', 1, linear - 1) as decimal(18, 12)) as contribution
    from told cross join (values ('base'), ('silence')) as parts (factor)
    where as_of_date = (select as_of_date from run.run_dates where is_release_date);
"""


def failures(settings: Settings) -> int:
    (result,) = dbt.build(settings, ["--select", PROMISE], command="test")
    return result.failures


def test_every_published_score_has_its_reasons_on_the_rung_that_made_it(published_home: Published) -> None:
    scores, told = (
        rows(f"select distinct customer_id, horizon_days, {of} from '{published_home.release}/{mart}.parquet' {given}")
        for mart, of, given in (
            ("customer_scores", "rung", "where inactive_probability is not null"),
            ("score_reasons", "factor", ""),
        )
    )
    assert len(scores) > 100
    # No champion learns from the tiny company.
    assert sorted(scores) == sorted(told)


def test_reasons_that_do_not_sum_to_the_score_are_caught(published_home: Published, tmp_path: Path) -> None:
    settings = settings_of(copy_of(published_home, tmp_path))
    assert failures(settings) == 0

    def change(statement: str) -> None:
        with duckdb.connect(str(settings.warehouse)) as build:
            build.execute(statement)

    change(AS_OF_A_CHAMPION)
    assert failures(settings) == 0
    one = "customer_id = (select min(customer_id) from ml.reasons) and horizon_days = 90"
    for score in ("inactive_probability", "expected_net_amount"):
        of_one = f"where {one} and factor = 'silence' and score_name = '{score}'"
        change(f"update ml.reasons set contribution = contribution + 0.0001 {of_one}")
        assert failures(settings) == 1
        change(f"update ml.reasons set contribution = contribution - 0.0001 {of_one}")
    change(f"delete from ml.reasons where {one}")
    assert failures(settings) == 1


def test_explain_and_the_dossier_say_which_cell_the_score_is_of(published_home: Published) -> None:
    release = published_home.release
    customer, cell = rows(
        f"select min(customer_id), arg_min(cell, customer_id) from '{release}/score_reasons.parquet'"
    )[0]
    silent, bought = cell.split("/")
    said = json.loads(tiering(published_home.home, "explain", customer, "--json").stdout)
    assert {row["factor"] for row in said["score_reasons"]} == {"rfm_cells"}
    words = "\n".join(said["words"])
    assert f"last purchase {silent} days ago on {bought} purchase days in all" in words
    assert "Grade C: no model is shown to beat a simple rule." in words
    document = dossier(settings_of(published_home.home), release, customer, "zh")
    shown = page(document)
    assert f"距上次购买 {silent} 天，共 {bought} 个购买日" in shown
    assert "6 reasons of the scores" in shown
