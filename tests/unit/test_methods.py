"""Promises of the comparison with other methods: same customers, same bytes; a cluster's number and a rule mean what
they say; and where there is nothing to compare it says why."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits

from ml.clusters import kept_numbers
from ml.comparison import Comparison, NoComparison, Rule
from ml.methods import compare
from ml.params import PARAMS, ParamsError, load_methods_params
from ml.store import ModelStoreError, newest_comparison, read_comparisons, write_model
from ml.tiers import agreement_of, shortest_between, tree_rules
from orchestration.comparing import compare_run
from orchestration.settings import PROJECT_ROOT

DAY = date(2025, 6, 3)
KNOWN = datetime(2025, 6, 3, 16, tzinfo=UTC)
METHODS = load_methods_params()
TIERS = ["T1", "T2", "T3"]


def customers(count: int = 300, start: int = 0) -> pd.DataFrame:
    """Buyers of three kinds, a fifth of all without an order. T1 above 10,000 of net sales, T2 above 1,000 if they
    bought in the last 60 days, else T3. Fixed seed."""
    random = np.random.default_rng(20250603 + start)
    kind = random.integers(0, 3, count)
    net = np.round(np.exp(random.normal(np.array([10.0, 7.5, 5.0])[kind], 0.4)), 2)
    recency = random.integers(0, np.array([40, 120, 365])[kind]).astype(np.float64)
    silent = random.random(count) < 0.2
    frame = pd.DataFrame(
        {
            "customer_id": [f"c{number:05}" for number in range(start, start + count)],
            "recency_days": np.where(silent, np.nan, recency),
            "order_count_365d": np.where(silent, 0.0, 1 + net // 2_000),
            "net_amount_365d": np.where(silent, 0.0, net),
            "margin_amount_365d": np.where(silent, 0.0, net * random.uniform(0.1, 0.4, count)),
            "tenure_days": np.where(silent, np.nan, recency + random.integers(0, 900, count)),
            "discount_rate_365d": np.where(silent, np.nan, random.uniform(0, 0.2, count).round(6)),
            "return_rate_365d": np.where(silent, np.nan, 0.0),
            "collection_rate_730d": np.nan,
            "days_since_contact": random.integers(0, 200, count).astype(np.float64),
        }
    )
    is_recent = frame["recency_days"] <= 60
    tier = np.where(frame["net_amount_365d"] > 10_000, "T1", "T3")
    frame["tier"] = np.where((frame["net_amount_365d"] > 1_000) & (tier == "T3") & is_recent, "T2", tier)
    return frame


def compared(frame: pd.DataFrame, before: Comparison | None = None, **changed: int) -> Comparison:
    return compare(frame, TIERS, as_of_date=DAY, known_at=KNOWN, params=replace(METHODS, **changed), before=before)


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compared(customers())


def test_the_same_customers_give_the_same_bytes_in_any_order_on_any_threads(comparison: Comparison) -> None:
    turned = customers().sample(frac=1, random_state=1)
    with threadpool_limits(2):
        assert compared(turned).to_json() == comparison.to_json()
    assert compared(customers(start=1)).to_json() != comparison.to_json()


def test_a_comparison_is_read_as_it_was_written_and_one_of_another_form_is_not(comparison: Comparison) -> None:
    text = comparison.to_json()
    read = Comparison.from_json(text)
    assert read is not None
    assert (read.to_json(), read.version) == (text, comparison.version)
    assert Comparison.from_json(text.replace('"form":1', '"form":0')) is None


def test_clusters_are_numbered_from_the_highest_tiers_and_hold_everyone_once(comparison: Comparison) -> None:
    assert [cluster.number for cluster in comparison.clusters] == list(range(1, len(comparison.clusters) + 1))
    assert comparison.clusters[0].tiers.index(max(comparison.clusters[0].tiers)) == 0
    members = [member for cluster in comparison.clusters for member in cluster.members]
    assert sorted(members) == customers()["customer_id"].tolist()
    tier_of = customers().set_index("customer_id")["tier"]
    for cluster in comparison.clusters:
        assert cluster.customers == len(cluster.members)
        counts = tier_of[list(cluster.members)].value_counts()
        assert cluster.tiers == tuple(counts.get(tier, 0) for tier in TIERS)


def test_a_cluster_keeps_its_number_when_clusters_come_in_another_order() -> None:
    before = {4: {"a": 0.1, "b": 0.9}, 7: {"a": 0.5, "b": 0.5}, 9: {"a": 0.9, "b": 0.1}}
    moved = [{"a": 0.85, "b": 0.15}, {"a": 0.15, "b": 0.9}, {"a": 0.5, "b": 0.45}]
    assert kept_numbers(before, moved, METHODS, 9) == [9, 4, 7]
    assert kept_numbers(before, moved[::-1], METHODS, 9) == [7, 4, 9]


def test_a_cluster_that_moved_too_far_is_new_and_an_old_number_never_comes_back() -> None:
    before = {1: {"a": 0.1, "b": 0.9}, 2: {"a": 0.9, "b": 0.1}}
    far = [{"a": 0.1, "b": 0.9}, {"a": 0.5, "b": 0.5}, {"a": 0.4, "b": 0.4}]
    assert kept_numbers(before, far, METHODS, 6) == [1, 7, 8]
    # Only figures that both have can be compared; with none there is nothing to keep.
    assert kept_numbers({3: {"a": 0.1, "gone": 0.9}}, [{"a": 0.1, "come": 0.2}], METHODS, 3) == [3]
    assert kept_numbers({3: {"gone": 0.9}}, [{"come": 0.9}], METHODS, 3) == [4]


def test_numbers_stay_with_the_customers_when_others_join_and_rows_are_shuffled(comparison: Comparison) -> None:
    joined = pd.concat([customers(), customers(60, start=300)]).sample(frac=1, random_state=2)
    later = compared(joined, comparison)
    assert [c.number for c in later.clusters] == [c.number for c in comparison.clusters]
    assert not any(cluster.is_new for cluster in later.clusters)
    for old, new in zip(comparison.clusters, later.clusters, strict=True):
        assert len(set(old.members) & set(new.members)) > len(old.members) / 2
    assert later.met_again == 300
    assert later.stayed == sum(
        len(set(old.members) & set(new.members)) for old, new in zip(comparison.clusters, later.clusters, strict=True)
    )
    assert later.before == comparison.version


def obeyed(rule: Rule, figures: pd.DataFrame) -> pd.Series:
    meets = pd.Series(True, index=figures.index)
    for condition in rule.conditions:
        if condition.above is not None:
            meets &= figures[condition.figure] > condition.above
        if condition.at_most is not None:
            meets &= figures[condition.figure] <= condition.at_most
    return meets


def test_rules_give_every_customer_the_tier_that_the_tree_gives() -> None:
    """Also where 32-bit numbers, of which the tree asks, cannot tell one amount from the next."""
    frame = customers(600)
    large = 20_000_000 + np.arange(len(frame)) / 100
    figures = frame[["order_count_365d", "recency_days", "days_since_contact"]].fillna(400.0).assign(large=large)
    tier_of = frame["tier"].where(large < 20_000_003, "T2")
    rules, _ = tree_rules(figures, tier_of, TIERS, METHODS)
    tree = DecisionTreeClassifier(
        max_depth=METHODS.tree_depth, min_samples_leaf=METHODS.tree_leaf_share, random_state=METHODS.seed
    ).fit(figures.to_numpy(), tier_of)
    meets = pd.DataFrame({number: obeyed(rule, figures) for number, rule in enumerate(rules)})
    assert (meets.sum(axis=1) == 1).all()
    found = meets.idxmax(axis=1).map(lambda number: rules[number].tier)
    assert found.tolist() == tree.predict(figures.to_numpy()).tolist()
    assert len(set(found)) == len(TIERS)
    assert any(condition.figure == "large" for rule in rules for condition in rule.conditions)
    for number, rule in enumerate(rules):
        assert rule.customers == meets[number].sum()
        assert rule.agreeing == (tier_of[meets[number]] == rule.tier).sum()


def test_a_tier_that_one_figure_decides_is_found_by_one_question() -> None:
    frame = customers()
    frame["tier"] = np.where(frame["days_since_contact"] > 99, "T1", "T2")
    found = compare(frame, ["T1", "T2"], as_of_date=DAY, known_at=KNOWN, params=METHODS)
    assert [(rule.tier, [condition.figure for condition in rule.conditions]) for rule in found.rules] == [
        ("T1", ["days_since_contact"]),
        ("T2", ["days_since_contact"]),
    ]
    first, second = (rule.conditions[0] for rule in found.rules)
    assert (first.above, first.at_most) == (second.at_most, None) == (99.0, None)
    assert [rule.agreeing for rule in found.rules] == [rule.customers for rule in found.rules]
    assert found.tree.share > 0.98
    # Nothing but contact speaks for a tier, and more days of it speak for T1 as much as against T2.
    strongest = {tier: max(of, key=lambda name: abs(of[name])) for tier, of in found.coefficients.items()}
    assert set(strongest.values()) == {"days_since_contact"}
    assert found.coefficients["T1"]["days_since_contact"] == -found.coefficients["T2"]["days_since_contact"] > 0


def test_agreement_is_what_a_hand_computes() -> None:
    """Three of five the same; squared distances 1 + 4 = 5, where chance would have 21 / 5."""
    found = agreement_of(["T1", "T1", "T2", "T2", "T3"], ["T1", "T2", "T2", "T2", "T1"], TIERS)
    assert found.share == pytest.approx(3 / 5)
    assert found.kappa == pytest.approx(1 - 5 / (21 / 5))
    assert found.table == ((1, 1, 0), (0, 2, 0), (1, 0, 0))


@pytest.mark.parametrize(
    ("low", "high", "bound"),
    [
        (38.0, 43.0, 40.0),
        (41.0, 42.0, 41.0),
        (0.0, 1.0, 0.0),
        (-5.0, 3.0, 0.0),
        (0.004, 0.2, 0.1),
        (12_345.67, 12_399.9, 12_350),
    ],
)
def test_a_bound_is_no_longer_than_it_has_to_be(low: float, high: float, bound: float) -> None:
    assert shortest_between(low, high) == bound


@given(st.floats(-1e12, 1e12), st.floats(-1e12, 1e12))
def test_a_bound_lies_between_the_two_sides(one: float, other: float) -> None:
    low, high = sorted((one, other))
    if low == high:
        with pytest.raises(ValueError, match="expected the second to be larger"):
            shortest_between(low, high)
    else:
        assert low <= shortest_between(low, high) < high


def test_what_is_unknown_counts_as_stated_and_has_a_flag_of_its_own(comparison: Comparison) -> None:
    frame, figures = customers(), {figure.name: figure for figure in comparison.figures}
    silent = int(frame["recency_days"].isna().sum())
    assert (figures["recency_days"].filled, figures["recency_days"].fill) == (silent, frame["recency_days"].max())
    assert (figures["tenure_days"].filled, figures["tenure_days"].fill) == (silent, frame["tenure_days"].min())
    assert figures["net_amount_365d"].filled == 0
    # Who has no order has no first order either, nor a discount: one flag says it.
    flags = [name for name, figure in figures.items() if figure.unit == "flag"]
    assert flags == ["recency_days is unknown"]
    assert "collection_rate_730d" not in figures, "nobody has one"
    known = frame.set_index("customer_id")["recency_days"]
    for cluster in comparison.clusters:
        assert cluster.medians["recency_days"] == pytest.approx(known[list(cluster.members)].median(), nan_ok=True) or (
            cluster.medians["recency_days"] is None
        )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda frame: frame.assign(tier="T3"),
            r"fewer than two tiers have the 20 customers it takes: T1 0, T2 0, T3 300",
        ),
        (lambda frame: frame.groupby("tier").head(30), r"90 customers in tiers, expected 100"),
        (lambda frame: frame.iloc[:0], "fewer than two tiers"),
        (
            lambda frame: frame.assign(**{one.column: 1.0 for one in METHODS.indicators}),
            "customers are too much alike: expected more than 4 with different figures",
        ),
    ],
)
def test_where_there_is_nothing_to_compare_the_reason_is_said(
    change: Callable[[pd.DataFrame], pd.DataFrame], reason: str
) -> None:
    with pytest.raises(NoComparison, match=reason):
        compared(change(customers()))


def test_a_tier_with_too_few_customers_is_left_out_and_named() -> None:
    frame = customers()
    frame.loc[:4, "tier"] = "T0"
    found = compare(frame, ["T0", *TIERS], as_of_date=DAY, known_at=KNOWN, params=METHODS)
    assert (found.left_out, found.tiers, found.customers, found.compared) == ({"T0": 5}, tuple(TIERS), 300, 295)


def test_of_many_customers_the_same_part_is_compared_whoever_joins(comparison: Comparison) -> None:
    def sample(frame: pd.DataFrame) -> set[str]:
        found = compared(frame, max_customers=150)
        assert (found.customers, found.compared) == (len(frame), 150)
        return {member for cluster in found.clusters for member in cluster.members}

    first = sample(customers())
    assert sample(customers().sample(frac=1, random_state=4)) == first
    # Thirty more of three hundred: about a tenth of the part gives way to those with smaller hashes.
    assert len(first & sample(pd.concat([customers(), customers(30, start=300)]))) > 120


def test_each_month_has_one_comparison_and_a_day_reads_none_that_knows_more(comparison: Comparison) -> None:
    may = replace(comparison, as_of_date=date(2025, 5, 31), known_at=KNOWN - timedelta(days=3))
    stored = {one.version: one for one in (may, comparison)}
    for day, known_at, expected in (
        (DAY, KNOWN, (comparison, True)),
        (date(2025, 6, 30), KNOWN + timedelta(days=27), (comparison, True)),
        (date(2025, 7, 1), KNOWN + timedelta(days=28), (comparison, False)),
        (date(2026, 6, 3), KNOWN + timedelta(days=365), (comparison, False)),
        (date(2025, 6, 2), KNOWN + timedelta(days=28), (may, False)),
        (DAY, KNOWN - timedelta(hours=1), (may, False)),
        (date(2025, 5, 30), KNOWN, (None, False)),
    ):
        assert newest_comparison(stored, day, known_at) == expected, day
    assert newest_comparison({}, DAY, KNOWN) == (None, False)


def test_a_stored_comparison_whose_bytes_changed_is_refused(comparison: Comparison, tmp_path: Path) -> None:
    write_model(tmp_path / "comparisons", comparison.version, comparison.to_json())
    assert [one.to_json() for one in read_comparisons(tmp_path).values()] == [comparison.to_json()]
    file = tmp_path / "comparisons" / f"{comparison.version}.json"
    file.write_text(comparison.to_json().replace("T1", "T9"), encoding="utf-8")
    with pytest.raises(ModelStoreError, match="expected that of its name"):
        read_comparisons(tmp_path)


def build_file(file: Path, day: date, frame: pd.DataFrame) -> duckdb.DuckDBPyConnection:
    """The tables that a run compares on, as of a day."""
    build = duckdb.connect(str(file))
    build.execute("set timezone = 'UTC'")
    build.register("frame", frame)
    for schema in ("run", "customer", "tiering", "audit", "ml"):
        build.execute(f"create schema {schema}")
    build.execute(
        "create table run.run_dates as select $1 as as_of_date, $2 as known_at, true as is_release_date",
        [day, datetime(day.year, day.month, day.day, 16, tzinfo=UTC)],
    )
    build.execute(
        "create table customer.customer_indicators as select $1 as as_of_date, * exclude (tier) from frame", [day]
    )
    build.execute("create table tiering.customer_tiers as select $1 as as_of_date, customer_id, tier from frame", [day])
    build.execute(
        "create table audit.policy_rules as select 'band' as rule_kind, 'tier' as subject, name as rule_name, "
        "bound as lower_bound from (values ('T3', null), ('T1', 80), ('T2', 60)) as bands(name, bound)"
    )
    build.execute("create table ml.comparisons (as_of_date date, comparison_version text, document text, reason text)")
    return build


def test_a_run_makes_a_comparison_once_a_month_and_shows_the_last_where_it_cannot(tmp_path: Path) -> None:
    june = build_file(tmp_path / "june", DAY, customers())
    shown, reason = compare_run(june, {}, METHODS)
    assert shown is not None
    assert reason is None
    assert shown.tiers == tuple(TIERS), "highest first"
    told = june.execute("select comparison_version, document, reason from ml.comparisons").fetchall()
    assert told == [(shown.version, shown.to_json(), None)]
    stored = {shown.version: shown}
    later = build_file(tmp_path / "later", date(2025, 6, 20), customers(250))
    assert compare_run(later, stored, METHODS) == (shown, None)
    july = build_file(tmp_path / "july", date(2025, 7, 2), customers(280))
    again, _ = compare_run(july, stored, METHODS)
    assert again is not None
    assert (again.as_of_date, again.before, again.met_again) == (date(2025, 7, 2), shown.version, 280)
    broken = build_file(tmp_path / "broken", date(2025, 7, 2), customers().assign(tier="T3"))
    assert compare_run(broken, stored, METHODS)[0] == shown
    ((version, why),) = broken.execute("select comparison_version, reason from ml.comparisons").fetchall()
    assert version == shown.version
    assert why == "fewer than two tiers have the 20 customers it takes: T1 0, T2 0, T3 300"


A_RUN = """
import sys
from pathlib import Path
import duckdb
import orchestration.assets.delivery, orchestration.release.report
from ml.params import load_methods_params
from ml.store import read_comparisons, write_model
from orchestration.comparing import compare_run
from orchestration.release.report_methods import methods
build, models = duckdb.connect(sys.argv[1]), Path(sys.argv[2])
shown, reason = compare_run(build, read_comparisons(models), load_methods_params())
methods(shown, [])
if shown:
    write_model(models / "comparisons", shown.version, shown.to_json())
print(bool(shown), bool(reason), "sklearn" in sys.modules)
"""


def test_a_day_without_a_comparison_does_not_import_scikit_learn(tmp_path: Path) -> None:
    def run(name: str, frame: pd.DataFrame) -> str:
        build_file(tmp_path / name, DAY, frame).close()
        command = [sys.executable, "-c", A_RUN, str(tmp_path / name), str(tmp_path / "models")]
        return subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True).stdout

    assert run("too_few", customers(50)) == "False True False\n"
    assert run("first", customers()) == "True False True\n"
    assert run("second", customers()) == "True False False\n"


def test_mistakes_in_the_parameters_of_methods_are_named(tmp_path: Path) -> None:
    text = PARAMS.read_text(encoding="utf-8")
    for old, new, message in (
        ("unknown: highest", "unknown: median", r"p\.yml: methods: unknown is 'median', expected one of \['highest',"),
        ("unit: days", "unit: weeks", "unit is 'weeks', expected one of"),
        ("  folds: 5", "  fold: 5", r"missing parameters \['folds'\], unknown parameters \['fold'\]"),
        ("methods:\n", "others:\n", "got NoneType, expected a mapping"),
    ):
        (tmp_path / "p.yml").write_text(text.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(ParamsError, match=message):
            load_methods_params(tmp_path / "p.yml")
