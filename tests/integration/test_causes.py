"""Promises of causes: what alone has changed is what a change of the score is given to, and causes sum to the change.

A day on which nothing comes is compared with the same day on which something of one kind comes for each of some
customers.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from installation import PROVE, Published, copy_of, current, rows, settings_of, tiering

from orchestration.new_policy import Draft, write_version

# How many customers each kind of change is planted for; the demo company has some 130 that buy.
COUNT = 12
# Kind → which way it moves a score: others' changes move some of the customers the other way, and rightly so.
KINDS = {"behaviour": 1, "returns": -1, "correction": -1, "late": 1, "identity": 1, "fx": 1}
# What a kind is told as, where that is not its name.
TOLD = {"late": "correction"}
# At least so many in a hundred of those who moved.
SHARE = 99


@dataclass(frozen=True)
class Day:
    """A decided day: score, and points by cause, of every customer; ``before``: the scores of the decision before."""

    home: Path
    before: Mapping[str, Decimal]
    scores: Mapping[str, Decimal]
    causes: Mapping[str, Mapping[str, Decimal]]

    def main(self, customer: str) -> str:
        """The cause with the most points in the direction of the change."""
        points = self.causes[customer]
        sign = 1 if self.scores[customer] > self.before[customer] else -1
        return max(points, key=lambda cause: (points[cause] * sign, cause))

    def unlike(self, quiet: Day, customer: str) -> set[str]:
        """The causes that have other points than on the quiet day: what time alone does, it does on both."""
        here, there = self.causes.get(customer, {}), quiet.causes.get(customer, {})
        return {cause for cause in {*here, *there} if here.get(cause) != there.get(cause)}

    def others(self, quiet: Day, planted: Iterable[str]) -> list[str]:
        """Who has another score than on the quiet day, without those planted for."""
        return [
            who
            for who, score in self.scores.items()
            if quiet.scores.get(who) not in (None, score) and who not in planted
        ]


@pytest.fixture(scope="module")
def quiet_home(published_home: Published, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home as it was published, for a day whose extracts are empty: nothing late comes with it."""
    home, stamp = copy_of(published_home, tmp_path_factory.mktemp("causes")), f"{published_home.next_day:%Y%m%d}"
    for file in sorted((home / "landing").rglob(f"*_at_{stamp}T*")):
        file.unlink()
    for file in sorted((home / "landing").rglob(f"*_{stamp}.*")):
        if file.suffix == ".parquet":
            _write(file, f"select * from '{file}' where false")
        elif file.suffix == ".csv":
            file.write_bytes(file.read_bytes().splitlines(keepends=True)[0])
        elif file.suffix == ".jsonl":
            file.write_bytes(b"")
        else:
            file.unlink()
    return home


@pytest.fixture(scope="module")
def planted(published_home: Published) -> dict[str, dict[str, str]]:
    """Kind → customer → its one account in the ERP. Who buys in euro is for the rates, and nobody is in two kinds."""
    return _customers(published_home)


def _customers(published: Published) -> dict[str, dict[str, str]]:
    release = published.release
    found = rows(
        f"""
        select customer_id, min(identity.source_id),
            count(*) filter (where orders.currency = 'EUR') > 0 as has_euro
        from '{release}/customer_identity.parquet' as identity
        inner join '{release}/customer_orders.parquet' as orders using (customer_id)
        where identity.source_system = 'sales' and orders.is_counted
            and orders.order_date > date '{published.days[0]}' - 240
        group by customer_id having count(distinct identity.source_id) = 1 order by customer_id
        """
    )
    euro = {customer: account for customer, account, has_euro in found if has_euro}
    free = [(customer, account) for customer, account, has_euro in found if not has_euro]
    kinds = [kind for kind in KINDS if kind != "fx"]
    return {kind: dict(free[nth :: len(kinds)][:COUNT]) for nth, kind in enumerate(kinds)} | {"fx": euro}


@pytest.fixture(scope="module")
def quiet(published_home: Published, quiet_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Day:
    return _decide(published_home, quiet_home, tmp_path_factory.mktemp("quiet") / "home", {})


@pytest.fixture(scope="module")
def days(
    published_home: Published,
    quiet_home: Path,
    planted: dict[str, dict[str, str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Mapping[str, Day]:
    """Kind → the day it was planted on: one day for all of them; when proving, each of them alone."""
    folder = tmp_path_factory.mktemp("planted")
    if PROVE:
        return {kind: _decide(published_home, quiet_home, folder / kind, {kind: who}) for kind, who in planted.items()}
    return dict.fromkeys(planted, _decide(published_home, quiet_home, folder / "all", planted))


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_of_one_kind_is_given_to_its_cause(
    kind: str, quiet: Day, days: Mapping[str, Day], planted: dict[str, dict[str, str]]
) -> None:
    day = days[kind]
    moved = [
        who
        for who in planted[kind]
        if who in day.before
        and day.scores.get(who) not in (None, quiet.scores[who], day.before[who])
        and (day.scores[who] > day.before[who]) == (KINDS[kind] > 0)
    ]
    assert len(moved) >= 3, "too few to say anything"
    wrong = {who: day.causes[who] for who in moved if day.main(who) != TOLD.get(kind, kind)}
    assert len(wrong) * 100 <= len(moved) * (100 - SHARE), wrong


def test_who_is_moved_by_what_others_did_has_drifted(
    published_home: Published, quiet: Day, days: Mapping[str, Day], planted: dict[str, dict[str, str]]
) -> None:
    """Whose own figures stand, and whose score moves with what is planted for others."""
    everybody = {who for customers in planted.values() for who in customers}
    figures = _figures(published_home.release)
    for kind, day in days.items():
        now = _figures(current(day.home))
        moved = day.others(quiet, planted[kind] if PROVE else everybody)
        untouched = [who for who in moved if figures.get(who) == now[who]]
        assert len(untouched) >= 3, kind
        wrong = {who: told for who in untouched if (told := day.unlike(quiet, who)) != {"drift"}}
        assert len(wrong) * 100 <= len(untouched) * (100 - SHARE), (kind, wrong)


def test_a_day_on_which_nothing_comes_knows_time_and_others_only(quiet: Day) -> None:
    told = {cause for causes in quiet.causes.values() for cause in causes}
    assert told
    assert told <= {"roll_off", "drift"}


def test_causes_sum_to_the_change_of_every_score(quiet: Day, days: Mapping[str, Day]) -> None:
    for day in (quiet, *days.values()):
        changes = {
            who: score - day.before[who]
            for who, score in day.scores.items()
            if who in day.before and score != day.before[who]
        }
        assert changes
        assert {who: sum(causes.values()) for who, causes in day.causes.items() if sum(causes.values())} == changes


def test_other_rules_are_the_policy(published_home: Published, quiet_home: Path, tmp_path: Path) -> None:
    """Weights of two factors change places: what these add is the policy's, what others add is not."""
    home = tmp_path / "home"

    def reweigh(home: Path) -> None:
        approved = datetime(2025, 12, 1, tzinfo=UTC)
        files = write_version(
            settings_of(home), Draft("house", published_home.next_day, "board", approved, "reweighed")
        )
        (file,) = (file for file in files if file.name == "policy_weights.csv")
        text = file.read_text(encoding="utf-8")
        for factor, weight, new in (("abc", "0.2500", "0.2000"), ("engagement", "0.1000", "0.1500")):
            text = text.replace(f"house,tier,{factor},{weight}", f"house,tier,{factor},{new}")
        file.write_text(text, encoding="utf-8")

    _decide(published_home, quiet_home, home, {}, reweigh)
    # Less is a rounding, which follows the factor that changed.
    told = rows(
        f"select factor, cause, count(*) from '{current(home)}/tier_causes.parquet' "
        "where abs(points) > 0.001 group by all"
    )
    assert {cause for factor, cause, _ in told if factor in ("abc", "engagement")} == {"policy"}
    assert "policy" not in {cause for factor, cause, _ in told if factor in ("rfm", "collection", "churn")}
    assert sum(count for _, cause, count in told if cause == "policy") > 100


def test_another_model_is_the_cause_of_what_reads_it(
    published_home: Published, quiet_home: Path, tmp_path: Path
) -> None:
    """Without the stored models the day trains one of its own."""
    home = tmp_path / "home"
    _decide(published_home, quiet_home, home, {}, lambda home: shutil.rmtree(home / "models"))
    told = rows(f"select factor, cause, count(*) from '{current(home)}/tier_causes.parquet' group by all")
    assert {cause for factor, cause, _ in told if factor in ("churn", "value_potential")} == {"model"}
    assert {factor for factor, cause, _ in told if cause == "model"} <= {"churn", "value_potential"}


def _figures(release: Path) -> dict[str, list[object]]:
    """By customer, what its factors are counted from."""
    figures = "order_count_365d, net_amount_365d, margin_amount_365d, due_amount_730d, collected_amount_730d"
    return {
        who: told for who, *told in rows(f"select customer_id, {figures} from '{release}/customer_indicators.parquet'")
    }


def _decide(
    published: Published, quiet: Path, home: Path, kinds: Mapping[str, Mapping[str, str]], change: object = None
) -> Day:
    """Decide the next day in a copy of the quiet home, with what is planted."""
    shutil.copytree(quiet, home, symlinks=True)
    _plant(home, published.next_day, published.release, kinds)
    if callable(change):
        change(home)
    ran = tiering(home, "run", "--date", str(published.next_day))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    causes: dict[str, dict[str, Decimal]] = {}
    told = (
        f"select customer_id, cause, sum(points) from '{current(home)}/tier_causes.parquet' group by all order by all"
    )
    for customer, cause, points in rows(told):
        causes.setdefault(customer, {})[cause] = points
    scores = "select customer_id, tier_score from read_parquet(?)"
    before, after = (
        dict(rows(scores, str(home / "decisions" / f"{day}.parquet")))
        for day in (published.days[-1], published.next_day)
    )
    return Day(home, before, after, causes)


def _plant(home: Path, day: date, release: Path, kinds: Mapping[str, Mapping[str, str]]) -> None:
    """Add to the day's extracts what each kind means for its customers."""
    sales, stamp = home / "landing" / "sales", f"{day:%Y%m%d}"
    orders, lines, returns, accounts = (
        sales / f"{name}_{stamp}.parquet" for name in ("order", "order_line", "return_line", "customer")
    )
    past = f"read_parquet('{sales}/order_line_2*.parquet', union_by_name = true)"
    headers = f"read_parquet('{sales}/order_2*.parquet', union_by_name = true)"
    latest = f"""
        select distinct on (order_no) * from {headers} where cust_code in ({{}}) and order_status in ('SHIP', 'CONF')
            and order_time > timestamp '{day}' - interval 250 day order by order_no, order_time desc"""
    for kind, ordered in (("behaviour", day), ("late", day - timedelta(days=9))):
        for number, account in enumerate(sorted(kinds.get(kind, {}).values())):
            order = f"PL-{kind}-{number}"
            _add(
                orders,
                f"select '{order}', '{account}', timestamp '{ordered} 09:00:00', 'CONF', 'web', 'CN01', 'CNY', null, "
                "null",
            )
            _add(lines, f"select '{order}-1', 1, '{order}', 'SP-0063', 100, 500, 50000, 0, 50000, 6500, 20000")
    if accounts_of := kinds.get("returns"):
        bought = latest.format(_quoted(accounts_of.values()))
        _add(
            returns,
            f"select 'PR-' || line_key, line_key, cust_code, timestamp '{day} 09:00:00', qty, net_value, cost_value, "
            f"currency, 'x' from (select distinct on (line_key) * from {past} order by line_key) "
            f"inner join ({bought}) using (order_no) where qty > 0 and net_value > 0",
        )
    if accounts_of := kinds.get("correction"):
        bought = latest.format(_quoted(accounts_of.values()))
        _add(orders, f"select * replace ('CANC' as order_status) from ({bought})")
    if accounts_of := kinds.get("identity"):
        told = dict(
            rows(
                f"select customer_id, source_id from '{release}/customer_identity.parquet' where source_system = 'crm'"
            )
        )
        pairs = [(who, account) for who, account in accounts_of.items() if who in told]
        for (_, account), (other, _) in zip(pairs[::2], pairs[1::2], strict=False):
            _add(
                accounts, f"select '{account}', 'n', 'B', null, null, '{told[other]}', timestamp '2024-01-01 00:00:00'"
            )
    if kinds.get("fx"):
        rates = home / "landing" / "finance" / f"fx_rate_{stamp}.csv"
        dates = [day - timedelta(days=back) for back in range(1, 300)]
        rates.write_text(rates.read_text(encoding="utf-8") + "".join(f"EUR,CNY,{of},39\n" for of in dates), "utf-8")


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _add(file: Path, query: str) -> None:
    """The file's rows and those of the query, whose columns stand in the file's order."""
    _write(file, f"select * from '{file}' union all select * from ({query})")


def _write(file: Path, query: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"copy ({query}) to '{file}.new' (format parquet)")
    file.with_name(f"{file.name}.new").replace(file)
