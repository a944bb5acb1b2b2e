"""Promises of causes in words: each is said in both languages, and a release without them says nothing."""

from __future__ import annotations

from decimal import Decimal

import duckdb

from data_quality.suites.marts import CAUSES, OWN_STEPS
from orchestration.release.causes import LABELS, causes_of, change_in_words, mainly


def test_every_cause_has_a_name_in_both_languages() -> None:
    assert set(LABELS) == {*CAUSES, *OWN_STEPS}
    assert all(en and zh for en, zh in LABELS.values())


def test_a_change_is_told_by_its_causes_the_most_points_first() -> None:
    with duckdb.connect() as release:
        assert causes_of(release, "c1") == []
        release.execute(
            "create table tier_causes (customer_id varchar, factor varchar, cause varchar, points decimal(18,4))"
        )
        release.execute(
            "insert into tier_causes values ('c1', 'abc', 'returns', -6), ('c1', 'rfm', 'returns', -1.5), "
            "('c1', 'rfm', 'drift', 2.25), ('c2', 'rfm', 'drift', 9)"
        )
        told = causes_of(release, "c1")
    assert [(row["cause"], row["points"]) for row in told] == [("returns", Decimal("-7.5")), ("drift", Decimal("2.25"))]
    assert change_in_words(told, 0) == [
        "Since the decision before, the score changed by -5.25: returns -7.5, changes of other customers +2.25."
    ]
    assert change_in_words(told, 1) == ["与上次判定相比，得分变动 -5.25：退货 -7.5、其他客户变动 +2.25。"]
    assert change_in_words([], 0) == []


def test_a_movement_names_its_main_cause_where_one_was_told() -> None:
    assert mainly({"main_cause": "hold"}, 0) == " Mainly: the end of the time it was held."
    assert mainly({"main_cause": "hold"}, 1) == "主要原因：保级期满。"
    assert mainly({"main_cause": None}, 0) == mainly({}, 1) == ""
