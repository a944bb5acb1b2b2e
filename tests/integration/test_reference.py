"""Promises of the lenses, held against ``reference.py``: every cut, cell and combination, in any order of rows.

The customers are made up for what is asked; the SQL that judges them is the project's, on a copy of a published home.
"""

from __future__ import annotations

import csv
import itertools
import random
import re
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from installation import PROVE, Published, as_table, copy_of, number_customers, settings_of
from reference import Judged, Reference
from standings import Days, Told, plainly

from orchestration import dbt
from orchestration.policy_rules import broken_rules
from orchestration.settings import POLICY_SEEDS, PROJECT_ROOT, Settings

BANDS = "scoring.customer_bands"
POPULATION = "intermediate.int_customers__population"
INDICATORS, PRIVATE = "intermediate.int_customers__indicated", "intermediate.int_customers__private"
LIFECYCLE, SCORES = "scoring.customer_lifecycle", "scoring.customer_scores"
EMPTY = ("scoring.customer_rfm", "scoring.customer_abc", "scoring.lead_grades")
EVIDENCE = ("rfm", "rfm_class", "abc", "lifecycle", "lead")
KEYS = ("as_of_date", "customer_id", "customer_number", "horizon_days")
NUMBERED, JUDGED = "int_customers__numbered", "int_customers__judged"
SCORE = re.compile(r"(\w+)_(\d+)d")

Figures = Mapping[str, Any]


class Bench:
    """A build file whose customers can be replaced, and the statements that customer_bands is made of."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        compiled = dbt.compiled_models(settings)
        self.statements = {name: compiled[f"model.tiering.{name}"] for name in (NUMBERED, JUDGED)}
        self.db = duckdb.connect(str(settings.warehouse))
        [(self.day,)] = self.db.execute("select as_of_date from run.run_dates where is_release_date").fetchall()
        tables = (INDICATORS, PRIVATE, LIFECYCLE, SCORES, *EMPTY)
        as_table(self.db, SCORES)
        for table in tables:
            self.db.execute(f"create or replace table {table} as from {table} limit 0")
        self.types = {
            table: dict(self.db.execute(f"select column_name, column_type from (describe {table})").fetchall())
            for table in tables
        }

    def judge(
        self, customers: Mapping[str, Figures], *, threads: int = 2, order: random.Random | None = None
    ) -> dict[str, dict[str, Judged]]:
        """Band and score of everybody whom a lens can judge, by lens and customer."""
        placed = list(customers.items())
        if order is not None:
            order.shuffle(placed)
        for table in (INDICATORS, PRIVATE, LIFECYCLE, SCORES):
            self.db.execute(f"delete from {table}")
            columns = [column for column in self.types[table] if column not in KEYS]
            told = [{"customer_id": customer, **self._told(table, columns, figures)} for customer, figures in placed]
            if table != INDICATORS:
                told = [row for row in told if len(row) > 1]
            frame = pd.DataFrame(told, columns=["customer_id", *columns], dtype="string")
            frame["as_of_date"] = str(self.day)
            if table == SCORES:
                frame["horizon_days"] = "90"
            self.db.execute(f"insert into {table} by name select * from frame")
        self.db.execute(f"create or replace table {POPULATION} as select as_of_date, customer_id from {INDICATORS}")
        self.db.execute(f"set threads = {threads}")
        self.db.execute(f"create or replace table intermediate.{NUMBERED} as {self.statements[NUMBERED]}")
        number_customers(self.db)
        self.db.execute(f"create or replace table intermediate.{JUDGED} as {self.statements[JUDGED]}")
        judged: dict[str, dict[str, Judged]] = {}
        query = f"select lens, customer_id, band, score from {BANDS} where not is_defaulted"
        for lens, customer, band, score in self.db.execute(query).fetchall():
            judged.setdefault(lens, {})[customer] = (band, score)
        return judged

    def step(self, name: str) -> Decimal:
        """The smallest difference of a figure: a day, a piece, a cent, a millionth of a rate."""
        score = SCORE.fullmatch(name)
        for table, types in self.types.items():
            kind = types.get(score[1]) if table == SCORES and score else types.get(name)
            if kind:
                digits = re.search(r",(\d+)\)", kind)
                return (
                    Decimal("0.01")
                    if kind == "DECIMAL(18,4)"
                    else Decimal(1).scaleb(-int(digits[1]))
                    if digits
                    else Decimal(1)
                )
        raise AssertionError(f"no table has {name}")

    @staticmethod
    def _told(table: str, columns: Sequence[str], figures: Figures) -> dict[str, str]:
        if table == SCORES:
            figures = {SCORE.sub(r"\1", name): value for name, value in figures.items() if SCORE.fullmatch(name)}
        return {name: str(figures[name]) for name in columns if figures.get(name) is not None}


@pytest.fixture(scope="module")
def bench(published_home: Published, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    bench = Bench(settings_of(copy_of(published_home, tmp_path_factory.mktemp("bench"))))
    yield bench
    bench.db.close()


def policy(name: str) -> list[dict[str, str]]:
    with (POLICY_SEEDS / f"policy_{name}.csv").open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


LENSES = {row["lens"]: row for row in policy("lenses")}


def cuts(lens: str) -> list[Decimal]:
    return [Decimal(row["lower_bound"]) for row in policy("bands") if row["lens"] == lens and row["lower_bound"]]


def leaves(lens: str) -> set[str]:
    """The lenses of stage 1 on which a lens rests."""
    if LENSES[lens]["stage"] == "1":
        return {lens}
    read = {row["part"] for row in policy("parts") if row["lens"] == lens}
    read |= {row["factor"] for row in policy("weights") if row["target"] == lens}
    read |= {row[axis] for row in policy("matrices") if row["lens"] == lens for axis in ("row_lens", "column_lens")}
    if LENSES[lens]["method"] == "count":
        read.add(LENSES[lens]["indicator"])
    return set().union(*(leaves(part) for part in read))


def test_a_figure_at_a_cut_has_the_band_that_starts_there_and_one_step_below_it_the_band_below(bench: Bench) -> None:
    asked = [
        (lens, cut, bench.step(row["indicator"]), row["indicator"])
        for lens, row in LENSES.items()
        if row["method"] == "cut"
        for cut in cuts(lens)
    ]
    customers = {
        f"{lens} {cut} {side}": {figure: cut + side * step} for lens, cut, step, figure in asked for side in (-1, 0, 1)
    }
    judged = bench.judge(customers)
    bands = {(row["lens"], row["band"]): row for row in policy("bands")}
    for lens, cut, _, _ in asked:
        below, at, above = (judged[lens][f"{lens} {cut} {side}"][0] for side in (-1, 0, 1))
        assert Decimal(bands[lens, at]["lower_bound"]) == cut, f"{lens} at {cut}: {at}"
        assert below != at, f"{lens} below {cut}: {below}"
        assert Decimal(bands[lens, above]["lower_bound"]) >= cut, f"{lens} above {cut}: {above}"
    assert agreed(judged, customers) >= {lens for lens, row in LENSES.items() if row["method"] == "cut"}


def test_ranks_change_where_exactly_their_share_of_customers_is_below(bench: Bench) -> None:
    """Of a hundred customers, one figure each, the n-th has n below."""
    ranks = [lens for lens, row in LENSES.items() if row["method"] == "rank"]
    customers = {f"{n:03}": {LENSES[lens]["indicator"]: n for lens in ranks} for n in range(100)}
    judged = bench.judge(customers)
    bands = {(row["lens"], row["band"]): row for row in policy("bands")}
    for lens in ranks:
        for cut in cuts(lens):
            at, below = (judged[lens][f"{int(cut * 100) - less:03}"][0] for less in (0, 1))
            assert Decimal(bands[lens, at]["lower_bound"]) == cut != bands[lens, below]["lower_bound"]
            assert below != at
    agreed(judged, customers)


def everything_readable() -> dict[str, Figures]:
    """Every combination of bands, or of none, of what later stages rest on; a crowd makes ranks and counts."""
    customers: dict[str, Figures] = {}
    words = {lens: [row["label"] for row in policy("labels") if row["lens"] == lens] for lens in LENSES}
    for lens in (lens for lens, row in LENSES.items() if row["stage"] != "1"):
        values: dict[str, list[Any]] = {}
        for leaf in sorted(leaves(lens)):
            row = LENSES[leaf]
            told = {
                "rank": [1, 2, 3],
                "label": words[leaf],
                "cut": [*cuts(leaf), min(cuts(leaf), default=Decimal()) - 1],
            }
            values.setdefault(row["indicator"], [None]).extend(told[row["method"]])
        for number, combination in enumerate(itertools.product(*values.values())):
            customers[f"{lens} {number}"] = dict(zip(values, combination, strict=True))
    ranked = [row["indicator"] for row in LENSES.values() if row["method"] == "rank"]
    crowd = [dict.fromkeys(ranked, 1)] * 2400 + [dict.fromkeys(ranked, 2)] * 1000 + [dict.fromkeys(ranked, 3)] * 600
    filled = [dict(figures) for figures in crowd]
    for counting in (lens for lens, row in LENSES.items() if row["method"] == "count"):
        counted = LENSES[LENSES[counting]["indicator"]]
        bounds = sorted([*cuts(counted["lens"]), min(cuts(counted["lens"])) - 1])
        there = [
            sum(1 for figures in customers.values() if held(figures.get(counted["indicator"]), bounds, at))
            for at in range(len(bounds))
        ]
        wanted = [int(cut) - less for cut in sorted(cuts(counting)) for less in (1, 0)]
        filling = iter(filled)
        for bound, has, count in zip(bounds, there, wanted, strict=True):
            assert has <= count, "more combinations than the smallest count"
            for figures in itertools.islice(filling, count - has):
                figures[counted["indicator"]] = bound
    return customers | {f"crowd {number}": figures for number, figures in enumerate(filled)}


def held(value: Decimal | None, bounds: Sequence[Decimal], at: int) -> bool:
    return value is not None and bounds[at] <= value and (at + 1 == len(bounds) or value < bounds[at + 1])


def agreed(judged: Mapping[str, Mapping[str, Judged]], customers: Mapping[str, Figures]) -> set[str]:
    """The lenses that the reference judges like the project, every customer of them; no other judges anybody."""
    expected = Reference(POLICY_SEEDS, customers, {lens: {} for lens in EVIDENCE}).bands
    for lens in LENSES:
        differing = {
            customer: (found, told)
            for customer in judged.get(lens, {}).keys() | expected[lens].keys()
            if (found := judged.get(lens, {}).get(customer)) != (told := expected[lens].get(customer))
        }
        assert not differing, f"{lens}: {dict(itertools.islice(differing.items(), 5))}"
    return {lens for lens, told in expected.items() if told}


def test_every_combination_of_what_a_lens_reads_gives_the_band_that_the_rows_say(bench: Bench) -> None:
    customers = everything_readable()
    judged = bench.judge(customers)
    assert agreed(judged, customers) >= {lens for lens, row in LENSES.items() if row["stage"] != "1"}
    reached = {(lens, band) for lens, of_customer in judged.items() for band, _ in of_customer.values()}
    unreached = {
        (row["lens"], row["band"])
        for row in policy("bands")
        if row["lens"] != "tier" and LENSES[row["lens"]]["stage"] != "1" and (row["lens"], row["band"]) not in reached
    }
    assert not unreached, "bands that no combination leads to"


def test_neither_the_order_of_rows_nor_the_threads_move_anybody_and_equals_have_equal_bands(bench: Bench) -> None:
    customers = everything_readable()
    twins = {f"twin of {customer}": figures for customer, figures in customers.items() if "crowd" not in customer}
    first = bench.judge(customers | twins)
    for lens, of_customer in first.items():
        moved = [twin for twin in twins if of_customer.get(twin) != of_customer.get(twin.removeprefix("twin of "))]
        assert not moved, (lens, moved[:5])
    for seed in range(100 if PROVE else 5):
        for threads in (1, 2, 4) if PROVE else (1, 2):
            assert bench.judge(customers | twins, threads=threads, order=random.Random(seed)) == first, (seed, threads)


def test_what_was_published_is_what_the_reference_says_of_every_customer(published_home: Published) -> None:
    release = published_home.release
    figures = {row["customer_id"]: row for row in frame(f"'{release}/customer_indicators.parquet'")}
    with duckdb.connect(str(published_home.settings.warehouse), read_only=True) as build:
        [(day,)] = build.execute("select as_of_date from run.run_dates where is_release_date").fetchall()
        private = frame(f"{PRIVATE} where as_of_date = date '{day}'", build)
    scores = frame(f"'{release}/customer_scores.parquet'")
    relations = frame(f"'{release}/customer_lifecycle.parquet'")
    for row in (*private, *relations):
        figures[row["customer_id"]] = row | figures[row["customer_id"]]
    for row in scores:
        named = {f"{name}_{row['horizon_days']}d": value for name, value in row.items()}
        figures[row["customer_id"]] = named | figures[row["customer_id"]]
    published: dict[str, dict[str, Judged]] = {lens: {} for lens in LENSES}
    for row in frame(f"'{release}/customer_bands.parquet' where not is_defaulted"):
        published[row["lens"]][row["customer_id"]] = (row["band"], row["score"])
    reference = Reference(POLICY_SEEDS, figures, {lens: published[lens] for lens in EVIDENCE})
    for lens in LENSES:
        assert reference.bands[lens] == published[lens], lens
        assert published[lens], f"lens {lens} is dark in the demo"
    tiers = frame(f"'{release}/customer_tiers.parquet'")
    assert len(tiers) >= 10
    for row in tiers:
        assert reference.tier(row["customer_id"]) == (row["score_tier"], row["gated_tier"], row["tier_score"])
    _, over_time = plainly(decided_days(published_home, reference), reference.rules())
    told = ("as_of_date", "customer_id", "score_tier", "gated_tier", "held_tier", "decided_tier", "tier", "tier_score")
    assert [row for row in over_time if row[0] == day] == sorted(tuple(row[name] for name in told) for row in tiers)
    for one, next_one in (("score_tier", "gated_tier"), ("score_tier", "held_tier"), ("decided_tier", "tier")):
        assert any(row[one] != row[next_one] for row in tiers), f"nobody's {next_one} is another than the {one}"


def decided_days(published: Published, reference: Reference) -> Days:
    """Scores of every day in the ledger, with the gates and the orders of people of the last. The ledger is shorter
    than the days of dwelling: nobody falls, and grace says nothing."""
    release = published.release
    customer = {
        (row["source_system"], row["source_id"]): row["customer_id"]
        for row in frame(f"'{release}/customer_identity.parquet'")
    }
    last, orders = published.days[-1], defaultdict(list)
    for file in (published.home / "landing" / "reference").iterdir():
        for row in csv.DictReader(file.read_text(encoding="utf-8").splitlines()):
            if row["生效日"] <= str(last) < (row["失效日"] or "9999-12-31"):
                orders[customer[row["系统"].lower(), row["客户编号"]]].append((row["最低等级"], row["最高等级"]))
    assert orders, "the demo has no order in force"
    return {
        day: {
            row["customer_id"]: Told(
                row["tier_score"],
                None,
                reference.gates(row["customer_id"]),
                reference.limits(orders[row["customer_id"]]),
            )
            for row in frame(f"'{published.home}/decisions/{day}.parquet'")
        }
        for day in published.days
    }


def frame(relation: str, connection: duckdb.DuckDBPyConnection | None = None) -> list[dict[str, Any]]:
    found = (connection or duckdb.connect()).execute(f"from {relation}")
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def test_a_lens_of_cuts_and_a_matrix_are_added_by_the_rows_that_contributing_shows(
    published_home: Published, tmp_path: Path
) -> None:
    settings = settings_of(copy_of(published_home, tmp_path))
    shutil.copytree(POLICY_SEEDS, settings.own_policy)
    shown = re.findall(
        r"```csv (policy_\w+\.csv)\n(.*?)```", (PROJECT_ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.S
    )
    assert shown, "CONTRIBUTING shows no rows"
    added = set()
    for name, text in shown:
        file = settings.own_policy / name
        file.write_text(file.read_text(encoding="utf-8") + text, encoding="utf-8")
        if name == "policy_lenses.csv":
            added |= {row.split(",")[1] for row in text.splitlines() if row}
    assert broken_rules(settings, settings.own_policy) == []
    models = ("int_lenses__numbered", "int_bands__numbered", "int_customers__judged")
    seeds = dbt.build(settings, ["--select", "resource_type:seed", *models], command="build")
    assert {result.status for result in seeds} <= {"success", "pass"}, [
        result.message for result in seeds if result.status == "error"
    ]
    with duckdb.connect(str(settings.warehouse), read_only=True) as build:
        judged = dict(
            build.execute(
                f"select lens, count(distinct band) from {BANDS} where not is_defaulted group by lens"
            ).fetchall()
        )
    assert len(added) == 2
    assert all(judged.get(lens, 0) > 1 for lens in added), judged
