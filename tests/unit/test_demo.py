"""Promises of the demo company: it is the same every time, whole every day, looks like a wholesaler, and its systems
send what real systems do. Whether the planted faults are found is ``integration/test_planted_faults.py``'s part.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from installation import settings_of

from orchestration.demo.company import END, DemoError, DemoSummary, write_demo
from orchestration.demo.deliver import FEEDS
from orchestration.extract import landing
from orchestration.extract.contract import load_contract
from orchestration.extract.duckdb_extensions import connect_with_excel
from orchestration.extract.json_lines import flat_record
from orchestration.extract.registry import load_registry

MAPS = Path(__file__).parents[2] / "orchestration" / "extract" / "maps"
DAYS = 5


# A file in time, and not a copy of one or a later version.
IN_TIME = "_2???????"
# What is planted is numbered from 99000001 on, after the letters that every system begins with.
OWN = "not regexp_matches({number}, '^[A-Z]+-?99')"


@dataclass(frozen=True)
class Demo:
    home: Path
    summary: DemoSummary
    planted: list[dict[str, Any]]
    connection: duckdb.DuckDBPyConnection

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of a query over ``orders``, ``order_lines`` and ``customers``, the company's own."""
        return self.connection.execute(query).fetchall()

    def file(self, planted: dict[str, Any]) -> Path:
        return self.home.joinpath("landing", planted["source"], planted["file"])

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [line for line in self.planted if line["kind"] == kind]

    def invoices(self) -> str:
        """The newest state of every invoice of the company, as SQL."""
        files = sorted((self.home / "landing" / "finance").glob("invoice_*.xlsx"))
        parts = (f"select *, {n} as sent from read_xlsx('{f}', all_varchar = true)" for n, f in enumerate(files))
        newest = "qualify row_number() over (partition by invoice_no order by sent desc) = 1"
        return f"(select * from ({' union all '.join(parts)}) where {OWN.format(number='invoice_no')} {newest})"


class Landed:
    """The newest state of every record that the demo's systems sent, in the contract's words."""

    def __init__(self, home: Path) -> None:
        settings = settings_of(home)
        feeds = load_registry(settings.sources).feeds
        found = landing.prepare(settings, landing.pending_deliveries(settings, feeds, date.max))
        readable = [candidate for candidate in found if candidate.held is None]
        self.batches = landing.commit(settings, readable, decided_until=None)
        self.connection = duckdb.connect()
        for table in {feed.table.name: feed.table for feed in feeds}.values():
            files = settings.raw / table.family / table.entity / "*" / "*.parquet"
            self.connection.execute(
                f"""create view {table.family}_{table.entity} as from read_parquet('{files}')
                qualify row_number() over (partition by source_record_id order by extracted_at desc) = 1"""
            )

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of a query over views called like ``crm_account``."""
        return self.connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def landed(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Landed:
    home = tmp_path_factory.mktemp("landed") / "home"
    shutil.copytree(demo.home, home)
    return Landed(home)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    home = tmp_path_factory.mktemp("demo")
    summary = write_demo(home, scale="tiny", daily_days=DAYS)
    planted = [json.loads(line) for line in (home / "planted.jsonl").read_text(encoding="utf-8").splitlines()]
    with connect_with_excel(tmp_path_factory.mktemp("extensions")) as connection:
        for entity, number in (("order", "order_no"), ("order_line", "line_key"), ("customer", "cust_code")):
            files = f"read_parquet('{home / 'landing' / 'sales' / entity}{IN_TIME}.parquet', union_by_name = true)"
            connection.execute(f"create view {entity}s as select * from {files} where {OWN.format(number=number)}")
        yield Demo(home, summary, planted, connection)


def _bytes(home: Path) -> dict[str, bytes]:
    return {str(file.relative_to(home)): file.read_bytes() for file in sorted(home.rglob("*")) if file.is_file()}


def test_the_same_seed_gives_the_same_bytes(demo: Demo, tmp_path: Path) -> None:
    write_demo(tmp_path, scale="tiny", daily_days=DAYS)
    assert _bytes(tmp_path) == _bytes(demo.home)


def test_another_seed_gives_another_company(demo: Demo, tmp_path: Path) -> None:
    write_demo(tmp_path, scale="tiny", daily_days=DAYS, seed=7)
    lines = "landing/sales/order_line_20251226.parquet"
    assert (tmp_path / lines).read_bytes() != (demo.home / lines).read_bytes()


def test_sources_of_somebody_else_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "sources.yml").write_text("sources: {}\n", encoding="utf-8")
    with pytest.raises(DemoError, match=r"sources\.yml"):
        write_demo(tmp_path, scale="tiny", daily_days=DAYS)
    assert _bytes(tmp_path) == {"sources.yml": b"sources: {}\n"}


@pytest.mark.parametrize("days", [4, 1001])
def test_a_demo_of_too_few_or_too_many_days_is_refused(tmp_path: Path, days: int) -> None:
    with pytest.raises(DemoError, match=f"daily_days is {days}, expected 5"):
        write_demo(tmp_path, scale="tiny", daily_days=days)


def test_every_daily_table_is_delivered_for_every_day(demo: Demo) -> None:
    days = [END - timedelta(days=back) for back in range(DAYS + 1)]
    expected = {
        (feed.source, feed.entity, f"{day:%Y%m%d}", feed.form)
        for feed in FEEDS
        for day in days
        if feed.delivered == "daily" or day == days[-1]
    }
    files = list((demo.home / "landing").rglob("*.*"))
    names = {file: re.fullmatch(r"(.+)_(\d{8})(?:_at_\d{8}T\d{6})?\.(\w+)", file.name) for file in files}
    assert {(file.parent.name, *match.groups()) for file, match in names.items() if match} == expected
    assert [file.name for file, match in names.items() if not match] == [demo.of_kind("unexpected_name")[0]["file"]]
    assert demo.summary.files == len(files)


def test_sources_describe_every_feed(demo: Demo) -> None:
    document = yaml.safe_load((demo.home / "sources.yml").read_text(encoding="utf-8"))
    described = {(name, table) for name, source in document["sources"].items() for table in source["tables"]}
    assert described == {(feed.source, feed.entity) for feed in FEEDS}
    assert document["start_date"] == END - timedelta(days=DAYS - 1)


@pytest.mark.parametrize("feed", FEEDS, ids=lambda feed: feed.macro)
def test_maps_cover_the_contract_and_name_columns_of_the_file(demo: Demo, feed: Any) -> None:
    tables = yaml.safe_load((MAPS / f"demo_{feed.source}.yml").read_text(encoding="utf-8"))["tables"]
    entity = tables[f"{feed.source}.{feed.entity}"]["columns"]
    table = load_contract().table(f"{feed.source}.{feed.entity}")
    known = {column.name: column for column in table.columns}
    assert {column.name for column in table.columns if column.is_required} <= set(entity) <= set(known)

    (mapped,) = (
        mapped
        for mapped in load_registry(demo.home / "sources.yml").feeds
        if (mapped.source_system, mapped.table) == (feed.source, table)
    )
    assert mapped.sources <= _header(demo, feed)
    for name, rule in mapped.columns.items():
        if known[name].values and rule.values:
            assert {word for _, word in rule.values} <= set(known[name].values), name


def _header(demo: Demo, feed: Any) -> set[str]:
    file = demo.home / "landing" / feed.source / f"{feed.entity}_20251226.{feed.form}"
    if feed.form == "csv":
        first = file.read_text(encoding="gb18030" if feed.source == "crm" else "utf-8").splitlines()[0]
        return set(first.split(","))
    if feed.form == "jsonl":
        return set(flat_record(file.read_text(encoding="utf-8").splitlines()[0]) or {})
    reader = "read_xlsx" if feed.form == "xlsx" else "read_parquet"
    return {str(row[0]) for row in demo.rows(f"describe from {reader}('{file}')")}


def test_gross_less_discount_is_net_on_every_line(demo: Demo) -> None:
    query = """select count(*), count(*) filter (list_value - discount_value <> net_value), any_value(typeof(net_value))
        from order_lines"""
    assert demo.rows(query) == [(demo.summary.lines, 0, "DECIMAL(18,4)")]


def test_every_line_has_its_order_on_the_same_day(demo: Demo) -> None:
    for file in sorted((demo.home / "landing" / "sales").glob(f"order_line{IN_TIME}.parquet")):
        orders = file.with_name(file.name.replace("order_line", "order"))
        assert demo.rows(f"select count(*) from '{file}' anti join '{orders}' using (order_no)") == [(0,)], file.name


def test_no_order_is_placed_after_the_end(demo: Demo) -> None:
    [(first, last)] = demo.rows("select min(order_time), max(order_time) from orders")
    assert date(2023, 1, 1) <= first.date() <= last.date() <= END


def test_references_are_missing_in_their_share(demo: Demo) -> None:
    """Bounds: four standard errors of 1,200 orders and of 140 customers around the designed shares."""
    [(orders, unnamed, unknown)] = demo.rows(
        """select count(*), count(*) filter (cust_code is null), count(*) filter (cust_code is not null
            and cust_code not in (select cust_code from customers))
        from (from orders qualify row_number() over (partition by order_no) = 1)"""
    )
    assert orders == demo.summary.orders
    assert 0.001 < unnamed / orders < 0.030
    assert unknown / orders < 0.010
    first = demo.home / "landing" / "sales" / "customer_20251226.parquet"
    [(linked,)] = demo.rows(f"select avg((crm_code is not null)::int) from '{first}'")
    assert 0.72 < linked < 0.96


def test_the_largest_fifth_of_customers_makes_most_of_the_sales(demo: Demo) -> None:
    [(share,)] = demo.rows(
        """with sales as (
            select cust_code, sum(net_value) as net, percent_rank() over (order by sum(net_value) desc) as place
            from order_lines
            inner join (select distinct order_no, cust_code from orders) using (order_no)
            where cust_code is not null
            group by cust_code
        )
        select sum(net) filter (place < 0.2) / sum(net) from sales"""
    )
    assert 0.55 <= share <= 0.85


def test_invoices_are_worth_their_lines_with_tax(demo: Demo) -> None:
    [(compared, different)] = demo.rows(
        f"""select count(*), count(*) filter (gross_total::decimal(18, 4) <> lines.total) from {demo.invoices()}
        inner join (
            select order_no, sum(net_value + tax_value) as total from order_lines group by order_no
        ) as lines using (order_no)"""
    )
    assert compared > 900
    assert different == 0


def test_debtor_codes_and_amounts_survive_the_workbook(demo: Demo) -> None:
    [(codes, amounts)] = demo.rows(
        f"""select bool_and(regexp_full_match(debtor_no, '0\\d{{6}}')),
            bool_and(regexp_full_match(gross_total, '\\d+\\.\\d\\d')) from {demo.invoices()}"""
    )
    assert codes
    assert amounts


def test_payments_are_the_sum_of_what_they_settle(demo: Demo) -> None:
    finance, money = demo.home / "landing" / "finance", "decimal(18, 2)"
    [(payments, different)] = demo.rows(
        f"""select count(*), count(*) filter (settled + unapplied::{money} is distinct from amount::{money})
        from read_csv('{finance}/payment{IN_TIME}.csv', all_varchar = true, ignore_errors = true)
        left join (
            select receipt_no, sum(amount) as settled
            from read_csv('{finance}/payment_allocation_*.csv', types = {{'amount': '{money}'}}) group by receipt_no
        ) using (receipt_no)
        where refund = 'N' and {OWN.format(number="receipt_no")}"""
    )
    assert payments > 500
    assert different == 0


def test_the_crm_export_needs_the_whole_of_gb18030(demo: Demo) -> None:
    exports = b"".join(file.read_bytes() for file in sorted((demo.home / "landing" / "crm").glob(f"*{IN_TIME}.csv")))
    names = exports.decode("gb18030")
    assert "客户名称" in names
    assert {"𠮷", "㐂"} & set(names), "no character of four bytes"
    with pytest.raises(UnicodeDecodeError):
        exports.decode("gbk")


# What is told of customers besides their trade.

WITHOUT_FAULTS = (
    "crm.person", "crm.lead", "sales.contract", "finance.writeoff", "finance.cost_to_serve", "finance.balance_daily",
    "service.case", "survey.response", "marketing.touch", "marketing.event", "privacy.consent", "enrich.industry",
)  # fmt: skip


def test_everything_told_besides_the_trade_is_accepted(landed: Landed) -> None:
    found = {name: [b for b in landed.batches if f"{b.family}.{b.entity}" == name] for name in WITHOUT_FAULTS}
    assert {name: sum(batch.quarantined + batch.duplicates for batch in own) for name, own in found.items()} == (
        dict.fromkeys(WITHOUT_FAULTS, 0)
    )
    assert [name for name, own in found.items() if sum(batch.accepted for batch in own) == 0] == []


@pytest.mark.parametrize(
    "column",
    [
        "crm.account.org_type", "crm.account.customer_profit_state", "crm.account.customer_profit_trend",
        "crm.person.marital", "crm.lead.grade_declared", "crm.lead.outcome", "finance.cost_to_serve.cost_type",
        "finance.balance_daily.product_kind", "service.case.kind", "survey.response.metric", "marketing.event.kind",
        "privacy.consent.purpose",
    ],
)  # fmt: skip
def test_every_word_of_a_closed_list_is_said(landed: Landed, column: str) -> None:
    family, entity, name = column.split(".")
    found = landed.rows(f"select distinct {name} from {family}_{entity} where {name} is not null")
    (told,) = (told for told in load_contract().table(f"{family}.{entity}").columns if told.name == name)
    assert {word for (word,) in found} == set(told.values)


@pytest.mark.parametrize(
    ("table", "system", "code", "known"),
    [
        ("crm_person", "", "account_id", "select account_id from crm_account"),
        ("crm_lead", "", "account_id", "select account_id from crm_account"),
        ("crm_account", "", "referred_by_account_id",
         "select account_id from crm_account as a where a.created_at < t.created_at"),
        ("sales_contract", "", "customer_ref", "select customer_ref from sales_customer"),
        ("sales_contract", "", "renewed_by_contract_id", "select contract_id from sales_contract"),
        ("finance_writeoff", "", "invoice_id", "select invoice_id from finance_invoice where status = 'written_off'"),
        ("finance_cost_to_serve", "", "customer_ref", "select customer_ref from finance_customer"),
        ("finance_balance_daily", "", "customer_ref", "select customer_ref from finance_customer"),
        ("service_case", "customer_system = 'crm'", "customer_ref", "select account_id from crm_account"),
        ("survey_response", "customer_system = 'crm'", "customer_ref", "select account_id from crm_account"),
        ("marketing_touch", "customer_system = 'sales'", "customer_ref", "select customer_ref from sales_customer"),
        ("marketing_event", "customer_system = 'sales'", "customer_ref", "select customer_ref from sales_customer"),
        ("privacy_consent", "subject_kind = 'person'", "subject_id", "select person_id from crm_person"),
        ("privacy_consent", "subject_kind = 'customer' and subject_system = 'crm'", "subject_id",
         "select account_id from crm_account"),
    ],
)  # fmt: skip
def test_a_code_is_known_where_it_comes_from(landed: Landed, table: str, system: str, code: str, known: str) -> None:
    [(told, unknown)] = landed.rows(
        f"""select count({code}), count(*) filter ({code} is not null and {code} not in ({known}))
        from {table} as t where {system or "true"}"""
    )
    assert told > 0
    assert unknown == 0


def test_all_households_are_told_of(landed: Landed) -> None:
    """Single, couple, with a baby, with a child, with children who have left; a parent alone; and who says nothing."""
    households = landed.rows(
        """select distinct marital, children_count > 0,
            case when youngest_child_age < 3 then 'baby' when youngest_child_age < 18 then 'child' else 'none' end
        from crm_person where marital in ('single', 'married', 'unknown')"""
    )
    assert set(households) >= {
        ("single", False, "none"), ("married", False, "none"), ("married", True, "baby"), ("married", True, "child"),
        ("married", True, "none"), ("unknown", None, "none"),
    }  # fmt: skip
    assert landed.rows("select count(*) > 0 from crm_person where marital in ('divorced', 'widowed')") == [(True,)]


def test_wealth_lies_on_both_sides_of_every_threshold_of_the_banks(landed: Landed) -> None:
    wealth = landed.rows(
        """select sum(balance) filter (product_kind <> 'personal_loan') / 30, sum(balance) / 30
        from finance_balance_daily
        where balance_date between date '2025-11-01' and date '2025-11-30' group by customer_ref"""
    )
    for place, thresholds in ((0, (100_000, 1_000_000, 3_500_000, 5_000_000)), (1, (2_000_000, 8_000_000))):
        amounts = [row[place] for row in wealth]
        for threshold in thresholds:
            assert min(amounts) < threshold <= max(amounts), threshold
    assert len([row for row in wealth if row[0] < row[1]]) > 1, "nobody has a loan"


def test_consents_are_given_refused_and_taken_back(landed: Landed) -> None:
    words = landed.rows(
        "select list(given order by decided_at) from privacy_consent group by subject_system, subject_id, purpose"
    )
    said = {tuple(given) for (given,) in words}
    assert said >= {(True,), (False,), (True, False)}
    assert sum(given[-1] for (given,) in words) / len(words) > 0.7


def test_most_contracts_that_ended_were_followed_by_another(landed: Landed) -> None:
    [(ended, renewed)] = landed.rows(
        f"""select count(*), count(renewed_by_contract_id)
        from sales_contract where end_date < date '{END}' and cancelled_at is null"""
    )
    assert ended > 20
    assert 0.6 < renewed / ended < 0.95


def test_the_control_group_is_left_alone_and_the_others_buy_more_often(landed: Landed) -> None:
    found = landed.rows(
        """select is_holdout, count(*), avg(converted::int), sum(cost), bool_or(delivered or opened or clicked)
        from marketing_touch group by is_holdout order by is_holdout"""
    )
    (_, reached, bought, _, _), (_, alone, bought_alone, cost, touched) = found
    assert 0.08 < alone / (alone + reached) < 0.18
    assert (cost, touched) == (0, False)
    assert bought > bought_alone


def test_who_is_cross_complains_and_who_would_recommend_us_buys_more(landed: Landed) -> None:
    """Not always: there are large customers who complain, and promoters who buy little."""
    [(late, in_time)] = landed.rows(
        """with orders as (
            select crm_account_ref as account_id, avg((delivered_date > promised_date)::int) as late_share
            from sales_order inner join sales_customer using (customer_ref)
            where crm_account_ref is not null group by all
        ), complaints as (
            select customer_ref as account_id, count(*) as complaints from service_case
            where kind = 'complaint' group by all
        )
        select avg(coalesce(complaints, 0)) filter (late_share > 0.1),
            avg(coalesce(complaints, 0)) filter (late_share <= 0.1)
        from orders left join complaints using (account_id)"""
    )
    assert late > in_time
    [(promoters, others)] = landed.rows(
        """with bought as (
            select crm_account_ref as account_id, count(*) as orders
            from sales_order inner join sales_customer using (customer_ref)
            where business_date > date '2025-01-01' group by all
        ), said as (
            select customer_ref as account_id, avg(score) as score from survey_response
            where metric = 'nps' group by all
        )
        select avg(orders) filter (score >= 8), avg(orders) filter (score < 7)
        from said inner join bought using (account_id)"""
    )
    assert promoters > others


def test_one_industry_has_no_figures(landed: Landed) -> None:
    found = landed.rows(
        """select distinct industry_code from crm_account where industry_code is not null
        and industry_code not in (select industry_code from enrich_industry)"""
    )
    assert found == [("D44",)]
    [(lowest, highest)] = landed.rows("select min(growth_rate), max(growth_rate) from enrich_industry")
    assert -0.5 < lowest < 0 < highest < 0.5, "a rate, not a percentage"


def test_every_kind_of_fault_is_planted(demo: Demo) -> None:
    assert {line["kind"] for line in demo.planted} == {
        "delivered_twice", "unexpected_name", "restated_delivery", "late_delivery", "order_without_customer",
        "unknown_customer", "negative_price", "zero_price", "unknown_currency", "missing_rate", "orphan_return",
        "same_day_return", "broken_line", "wrong_encoding", "text_in_number", "date_in_other_format",
        "date_not_understood", "column_added", "column_renamed",
    }  # fmt: skip


def test_faults_are_planted_in_three_days_before_the_last_two(demo: Demo) -> None:
    days = {re.findall(r"_(\d{8})", line["file"])[0] for line in demo.planted}
    assert days == {f"{END - timedelta(days=back):%Y%m%d}" for back in (2, 3, 4)}


def test_every_planted_record_stands_in_its_line(demo: Demo) -> None:
    records = [line for line in demo.planted if line["source_line"] is not None]
    assert len(records) > 20
    assert [_record(demo, line) for line in records] == [line["record"] for line in records]


def _record(demo: Demo, planted: dict[str, Any]) -> str:
    """The first value of the planted record, read from its file."""
    file, line = demo.file(planted), int(planted["source_line"])
    if file.suffix == ".csv":
        encoding = "gb18030" if planted["source"] == "crm" else "utf-8"
        return file.read_bytes().decode(encoding).split("\n")[line].split(",")[0]
    reader = "read_parquet" if file.suffix == ".parquet" else "read_xlsx"
    return str(demo.rows(f"from {reader}('{file}') limit 1 offset {line - 1}")[0][0])


def test_a_file_in_the_wrong_encoding_cannot_be_read_and_comes_again_as_it_should_be(demo: Demo) -> None:
    (wrong,) = demo.of_kind("wrong_encoding")
    sent = demo.file(wrong).read_bytes()
    with pytest.raises(UnicodeDecodeError):
        sent.decode("gb18030")
    mended = _later_version(demo, wrong)
    assert mended.read_bytes().decode("gb18030") == sent.decode("utf-8")


def test_a_renamed_column_gets_its_name_back(demo: Demo) -> None:
    (renamed,) = demo.of_kind("column_renamed")
    assert "note_amount" in demo.file(renamed).read_text(encoding="utf-8").splitlines()[0].split(",")
    assert renamed["column"] in _later_version(demo, renamed).read_text(encoding="utf-8").splitlines()[0].split(",")


def _later_version(demo: Demo, planted: dict[str, Any]) -> Path:
    file = demo.file(planted)
    _, later = sorted(file.parent.glob(f"{file.name.partition('_at_')[0]}_at_*"))
    return later


def test_a_delivery_sent_twice_has_the_same_bytes(demo: Demo) -> None:
    for planted in demo.of_kind("delivered_twice"):
        again = demo.file(planted)
        assert again.read_bytes() == again.with_name(again.name.partition("_at_")[0] + again.suffix).read_bytes()


def test_a_late_delivery_comes_two_days_after_its_day_and_only_then(demo: Demo) -> None:
    (late,) = demo.of_kind("late_delivery")
    day, at = re.findall(r"_(\d{8})", late["file"])
    assert (date.fromisoformat(at) - date.fromisoformat(day)).days == 2
    assert [file.name for file in demo.file(late).parent.glob(f"activity_{day}*")] == [late["file"]]


def test_a_restated_delivery_lowers_an_amount_and_drops_a_line(demo: Demo) -> None:
    (restated,) = demo.of_kind("restated_delivery")
    corrected = demo.file(restated)
    first = corrected.with_name(corrected.name.partition("_at_")[0] + ".parquet")
    changed = "select line_key, net_value from '{}' except select line_key, net_value from '{}' order by all"
    before, after = (demo.rows(changed.format(*pair)) for pair in ((first, corrected), (corrected, first)))
    assert [line for line, _ in before] == ["SO99000009-1", "SO99000009-2"]
    assert [line for line, _ in after] == ["SO99000009-1"]
    assert after[0][1] < before[0][1]
