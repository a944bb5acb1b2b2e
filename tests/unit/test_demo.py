"""Promises of the demo company: it is the same every time, whole every day, and looks like a wholesaler."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from orchestration.demo.company import END, DemoError, DemoSummary, write_demo
from orchestration.demo.deliver import FEEDS
from orchestration.extract.contract import load_contract
from orchestration.extract.duckdb_extensions import connect_with_excel

MAPS = Path(__file__).parents[2] / "orchestration" / "extract" / "maps"
DAYS = 5


@dataclass(frozen=True)
class Demo:
    home: Path
    summary: DemoSummary
    connection: duckdb.DuckDBPyConnection

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of a query in which {sales} is the folder of the sales system's files."""
        return self.connection.execute(query.format(sales=self.home / "landing" / "sales")).fetchall()

    def invoices(self) -> str:
        """The newest state of every invoice, as SQL."""
        files = sorted((self.home / "landing" / "finance").glob("invoice_*.xlsx"))
        parts = (f"select *, {n} as sent from read_xlsx('{f}', all_varchar = true)" for n, f in enumerate(files))
        newest = "qualify row_number() over (partition by invoice_no order by sent desc) = 1"
        return f"(select * from ({' union all '.join(parts)}) {newest})"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    home = tmp_path_factory.mktemp("demo")
    summary = write_demo(home, scale="tiny", daily_days=DAYS)
    with connect_with_excel(tmp_path_factory.mktemp("extensions")) as connection:
        yield Demo(home, summary, connection)


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


def test_every_daily_table_has_a_file_for_every_day(demo: Demo) -> None:
    days = [END - timedelta(days=back) for back in range(DAYS + 1)]
    expected = {
        f"{feed.source}/{feed.entity}_{day:%Y%m%d}.{feed.form}"
        for feed in FEEDS
        for day in days
        if feed.delivered == "daily" or day == days[-1]
    }
    landing = demo.home / "landing"
    assert {str(file.relative_to(landing)) for file in landing.rglob("*.*")} == expected
    assert demo.summary.files == len(expected)


def test_sources_describe_every_feed(demo: Demo) -> None:
    document = yaml.safe_load((demo.home / "sources.yml").read_text(encoding="utf-8"))
    described = {(name, table) for name, source in document["sources"].items() for table in source["tables"]}
    assert described == {(feed.source, feed.entity) for feed in FEEDS}
    assert document["start_date"] == END - timedelta(days=DAYS - 1)


@pytest.mark.parametrize("feed", FEEDS, ids=lambda feed: feed.macro)
def test_maps_cover_the_contract_and_name_columns_of_the_file(demo: Demo, feed: Any) -> None:
    entity = yaml.safe_load((MAPS / f"demo_{feed.source}.yml").read_text(encoding="utf-8"))[feed.entity]
    table = load_contract().table(f"{feed.source}.{feed.entity}")
    known = {column.name: column for column in table.columns}
    assert {column.name for column in table.columns if column.is_required} <= set(entity) <= set(known)

    rules = {name: rule if isinstance(rule, dict) else {"column": rule} for name, rule in entity.items()}
    named = {rule.get("column", rule.get("local_date_of")) for rule in rules.values() if "constant" not in rule}
    assert named <= _header(demo, feed)
    for name, rule in rules.items():
        if known[name].values and "values" in rule:
            assert set(rule["values"].values()) <= set(known[name].values), name


def _header(demo: Demo, feed: Any) -> set[str]:
    file = demo.home / "landing" / feed.source / f"{feed.entity}_20251226.{feed.form}"
    if feed.form == "csv":
        first = file.read_text(encoding="gb18030" if feed.source == "crm" else "utf-8").splitlines()[0]
        return set(first.split(","))
    reader = "read_xlsx" if feed.form == "xlsx" else "read_parquet"
    return {str(row[0]) for row in demo.rows(f"describe from {reader}('{file}')")}


def test_gross_less_discount_is_net_on_every_line(demo: Demo) -> None:
    query = """select count(*), count(*) filter (list_value - discount_value <> net_value), any_value(typeof(net_value))
        from '{sales}/order_line_*.parquet'"""
    assert demo.rows(query) == [(demo.summary.lines, 0, "DECIMAL(18,4)")]


def test_every_line_has_its_order_on_the_same_day(demo: Demo) -> None:
    for file in sorted((demo.home / "landing" / "sales").glob("order_line_*.parquet")):
        orders = file.with_name(file.name.replace("order_line", "order"))
        assert demo.rows(f"select count(*) from '{file}' anti join '{orders}' using (order_no)") == [(0,)], file.name


def test_no_order_is_placed_after_the_end(demo: Demo) -> None:
    [(first, last)] = demo.rows("select min(order_time), max(order_time) from '{sales}/order_2*.parquet'")
    assert date(2023, 1, 1) <= first.date() <= last.date() <= END


def test_references_are_missing_in_their_share(demo: Demo) -> None:
    """Bounds: four standard errors of 1,200 orders and of 140 customers around the designed shares."""
    [(orders, unnamed, unknown)] = demo.rows(
        """select count(*), count(*) filter (cust_code is null), count(*) filter (cust_code is not null
            and cust_code not in (select cust_code from '{sales}/customer_*.parquet'))
        from (from '{sales}/order_2*.parquet' qualify row_number() over (partition by order_no) = 1)"""
    )
    assert orders == demo.summary.orders
    assert 0.001 < unnamed / orders < 0.030
    assert unknown / orders < 0.010
    [(linked,)] = demo.rows("select avg((crm_code is not null)::int) from '{sales}/customer_20251226.parquet'")
    assert 0.72 < linked < 0.96


def test_the_largest_fifth_of_customers_makes_most_of_the_sales(demo: Demo) -> None:
    [(share,)] = demo.rows(
        """with sales as (
            select cust_code, sum(net_value) as net, percent_rank() over (order by sum(net_value) desc) as place
            from '{sales}/order_line_*.parquet'
            inner join (select distinct order_no, cust_code from '{sales}/order_2*.parquet') using (order_no)
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
            select order_no, sum(net_value + tax_value) as total from '{{sales}}/order_line_*.parquet' group by order_no
        ) as lines using (order_no)"""
    )
    assert compared > 900
    assert different == 0


def test_debtor_codes_and_amounts_survive_the_workbook(demo: Demo) -> None:
    [(codes, amounts)] = demo.rows(
        f"""select bool_and(regexp_full_match(debtor_no, '0\\d{{{{6}}}}')),
            bool_and(regexp_full_match(gross_total, '\\d+\\.\\d\\d')) from {demo.invoices()}"""
    )
    assert codes
    assert amounts


def test_payments_are_the_sum_of_what_they_settle(demo: Demo) -> None:
    finance = demo.home / "landing" / "finance"
    money = "types = {{'amount': 'decimal(18,2)'}}"
    [(payments, different)] = demo.rows(
        f"""select count(*), count(*) filter (settled + unapplied::decimal(18, 2) is distinct from amount)
        from read_csv('{finance}/payment_2*.csv', {money})
        left join (
            select receipt_no, sum(amount) as settled
            from read_csv('{finance}/payment_allocation_*.csv', {money}) group by receipt_no
        ) using (receipt_no)
        where refund = 'N'"""
    )
    assert payments > 500
    assert different == 0


def test_the_crm_export_needs_the_whole_of_gb18030(demo: Demo) -> None:
    exports = b"".join(file.read_bytes() for file in sorted((demo.home / "landing" / "crm").glob("*.csv")))
    names = exports.decode("gb18030")
    assert "客户名称" in names
    assert {"𠮷", "㐂"} & set(names), "no character of four bytes"
    with pytest.raises(UnicodeDecodeError):
        exports.decode("gbk")
