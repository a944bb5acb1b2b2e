"""What is told of a mart that is not like the one of the last release, judged by the real Great Expectations."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from data_quality.drift import compared_rules, drift_rules
from data_quality.thresholds import Thresholds, load_thresholds
from data_quality.validate import Subject, validate
from data_quality.verdicts import Verdict

HEADER = "scope,subject,measure,severity,minimum,maximum,provenance,note\n"
ROWS = """\
history,*,usual_records,,50,,house,
release,*,rows,error,0.5,2,house,
release,*,rows,warning,0.95,1.1,house,
release,customers,sum_of_net,warning,0.9,1.15,house,
release,customers,nulls,warning,,0.1,house,
release,customers,mix_of_tier_and_kind,error,,0.3,house,
release,customers,mix_of_tier_and_kind,warning,,0.1,house,
"""


@pytest.fixture
def thresholds(tmp_path: Path) -> Thresholds:
    file = tmp_path / "thresholds.csv"
    file.write_text(HEADER + ROWS, encoding="utf-8")
    return load_thresholds(file)


def customers(count: int, net: str = "10.5", first: str = "case when n % 10 < 2 then 'T1' else 'T2' end") -> str:
    """A mart of so many customers, two of ten in the first tier, nobody without a city."""
    columns = f"cast({net} as decimal(18, 4)) as net, {first} as tier, 'org' as kind, n as city"
    return f"(select {columns} from range({count}) customers(n))"


def judged(thresholds: Thresholds, now: str, before: str | None) -> dict[str, Verdict]:
    with duckdb.connect() as connection:
        rules = (
            compared_rules(connection, thresholds, "customers", now, before)
            if before
            else drift_rules(thresholds, "customers")
        )
    return {verdict.check_name: verdict for verdict in validate([Subject("customers", f"from {now}", rules)])}


def not_passed(verdicts: dict[str, Verdict]) -> dict[str, str]:
    return {name: verdict.status for name, verdict in verdicts.items() if verdict.status != "pass"}


def test_a_mart_like_the_last_one_passes_and_says_what_both_hold(thresholds: Thresholds) -> None:
    verdicts = judged(thresholds, customers(1040), customers(1000))
    assert not_passed(verdicts) == {}
    assert verdicts["rows_as_usual"].observed == "1,040, 1,000 in the last release (1.0400)"
    assert verdicts["sum_of_net_as_usual"].observed == "10,920.0000, 10,500.0000 in the last release (1.0400)"
    assert verdicts["nulls_as_usual"].observed == "4 of 4 within"


def test_half_the_customers_gone_blocks_and_a_twentieth_more_warns(thresholds: Thresholds) -> None:
    gone = judged(thresholds, customers(499), customers(1000))
    assert not_passed(gone) == {"rows_within_reason": "fail", "rows_as_usual": "warn", "sum_of_net_as_usual": "warn"}
    assert gone["rows_within_reason"].blocks
    assert not_passed(judged(thresholds, customers(1101), customers(1000))) == {"rows_as_usual": "warn"}


def test_money_that_drifts_with_as_many_rows_warns(thresholds: Thresholds) -> None:
    assert not_passed(judged(thresholds, customers(1000, "9"), customers(1000))) == {"sum_of_net_as_usual": "warn"}


def test_a_column_that_lost_its_values_is_named(thresholds: Thresholds) -> None:
    emptied = f"(select * replace (case when city % 5 > 0 then city end as city) from {customers(1000)})"
    verdict = judged(thresholds, emptied, customers(1000))["nulls_as_usual"]
    assert (verdict.status, verdict.observed) == ("warn", "city: 20.0% nulls, 0.0% in the last release (0.2000)")


@pytest.mark.parametrize(
    ("tenths", "expected"),
    [(3, {}), (4, {"mix_of_tier_and_kind_as_usual": "warn"})],
)
def test_tiers_that_shift_by_more_than_their_threshold_warn(
    thresholds: Thresholds, tenths: int, expected: dict[str, str]
) -> None:
    shifted = customers(1000, first=f"case when n % 10 < {tenths} then 'T1' else 'T2' end")
    assert not_passed(judged(thresholds, shifted, customers(1000))) == expected


def test_everybody_in_one_tier_blocks_and_the_tier_is_told(thresholds: Thresholds) -> None:
    verdict = judged(thresholds, customers(1000, first="'T1'"), customers(1000))["mix_of_tier_and_kind_within_reason"]
    assert verdict.blocks
    assert verdict.observed == "T1 org: 100.0%, 20.0% in the last release (0.8000)"


def test_the_first_release_has_nothing_to_compare_with_and_says_so(thresholds: Thresholds) -> None:
    verdicts = judged(thresholds, customers(3), None)
    assert {verdict.status for verdict in verdicts.values()} == {"pass"}
    assert {verdict.observed for verdict in verdicts.values()} == {"nothing to compare with: no release before"}


def test_a_release_of_a_few_rows_says_nothing_of_shares(thresholds: Thresholds) -> None:
    verdicts = judged(thresholds, customers(100), customers(49))
    assert {verdict.observed for verdict in verdicts.values()} == {
        "nothing to compare with: 49 rows in the last release, expected 50 or more"
    }


def test_a_column_the_last_release_did_not_have_is_not_compared(thresholds: Thresholds) -> None:
    before = f"(select * exclude (net, kind) from {customers(1000)})"
    verdicts = judged(thresholds, customers(1000), before)
    assert not_passed(verdicts) == {}
    assert verdicts["sum_of_net_as_usual"].observed.startswith("nothing to compare with")
    assert verdicts["nulls_as_usual"].observed == "2 of 2 within"
