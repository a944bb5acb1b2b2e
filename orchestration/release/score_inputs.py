"""What each family of source rows is to the scores: read, read once it is delivered, or not read by any of them.

What is said to be read is held to the lineage by a test; nothing is left out because nobody reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import duckdb

from orchestration.extract.contract import load_contract

READ, MISSED, WITHHELD, UNREAD, ABSENT = "read", "not used yet", "score withheld", "not read", "not delivered"
STATES = {READ: "已使用", MISSED: "尚未使用", WITHHELD: "不予评分", UNREAD: "未使用", ABSENT: "未提供"}
Words = tuple[str, str]


@dataclass(frozen=True)
class Input:
    """A family of source tables; ``read`` says what it is to the scores, empty where no model reads it; ``without``
    what its absence means, and whether a score is ``withheld`` then."""

    name: Words
    tables: tuple[str, ...]
    read: Words = ("", "")
    without: Words = ("", "")
    withholds: bool = False


@dataclass(frozen=True)
class Delivered:
    """``rows``: accepted by what was known; ``first`` and ``last`` day they tell of, None for tables without days."""

    table: str
    rows: int
    first: date | None
    last: date | None


@dataclass(frozen=True)
class Use:
    """What stands in a line of the page."""

    name: Words
    tables: tuple[Delivered, ...]
    state: str
    means: Words

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)

    @property
    def span(self) -> tuple[date, date] | None:
        days = [day for table in self.tables for day in (table.first, table.last) if day]
        return (min(days), max(days)) if days else None


INPUTS = (
    Input(
        ("Purchases", "购买"),
        ("sales.order", "sales.order_line"),
        ("Read by every score: when, how often, for how much.", "所有评分均使用：时间、次数、金额。"),
        ("Nobody has a score: there is nothing to learn from.", "无可学习的数据，所有客户均无评分。"),
        withholds=True,
    ),
    Input(
        ("Returns", "退货"),
        ("sales.return_line",),
        ("Read: net sales and margin are after returns.", "已使用：净销售额与毛利均扣除退货。"),
        ("Net sales and margin are told before returns, so too high.", "净销售额与毛利未扣退货，因此偏高。"),
    ),
    Input(
        ("Exchange rates", "汇率"),
        ("finance.fx_rate",),
        ("Read: amounts in other currencies are converted.", "已使用：其他币种金额已折算。"),
        ("Only amounts in the reporting currency count.", "仅计报告币种的金额。"),
    ),
    Input(
        ("Accounts", "客户账户"),
        ("crm.account", "sales.customer", "finance.customer"),
        ("Read to know which purchases are one customer's; no score reads what else they say.", "仅用于识别同一客户。"),
        ("Whose purchases they are is not known.", "无法得知购买属于谁。"),
        withholds=True,
    ),
    Input(("Payments and invoices", "回款与发票"), ("finance.invoice", "finance.payment", "finance.payment_allocation",
           "finance.credit_note", "finance.writeoff")),
    Input(("Complaints and surveys", "投诉与满意度"), ("service.case", "survey.response")),
    Input(("Pipeline and leads", "商机与线索"), ("crm.opportunity", "crm.lead")),
    Input(("Contacts and visits", "沟通与拜访"), ("crm.activity", "crm.contact")),
    Input(("Contracts", "合同"), ("sales.contract",)),
    Input(("Campaigns", "营销活动"), ("marketing.touch", "marketing.event")),
    Input(("Balances", "存贷余额"), ("finance.balance_daily",)),
    Input(("Loyalty points", "积分"), ("loyalty.ledger",)),
)  # fmt: skip
COST = ("Cost and margin", "成本与毛利")
OTHERS = ("Everything else delivered", "其他已提供的数据")
NOT_READ = (
    "Delivered, but no score reads it; lenses and gates may.",
    "已提供，但评分未使用（规则与门槛可能使用）。",
)
NOT_THERE = ("Not delivered; no score would read it.", "未提供，评分也不使用。")


def uses(build: duckdb.DuckDBPyConnection, as_of_date: date, known_at: datetime) -> list[Use]:
    """Every family of the contract, those that are read first."""
    found = {table.table: table for table in _delivered(build, known_at)}
    told = [_use(given, [found[table] for table in given.tables]) for given in INPUTS]
    rest = [table for name, table in found.items() if table.rows and not any(name in one.tables for one in INPUTS)]
    told.insert(2, _cost(build, as_of_date, found["sales.order_line"]))
    return [*told, Use(OTHERS, tuple(rest), UNREAD if rest else ABSENT, NOT_READ if rest else NOT_THERE)]


def _use(given: Input, tables: Sequence[Delivered]) -> Use:
    present = tuple(table for table in tables if table.rows)
    if not given.read[0]:
        return Use(given.name, present, UNREAD if present else ABSENT, NOT_READ if present else NOT_THERE)
    if present:
        return Use(given.name, present, READ, given.read)
    return Use(given.name, (), WITHHELD if given.withholds else MISSED, given.without)


def _cost(build: duckdb.DuckDBPyConnection, as_of_date: date, lines: Delivered) -> Use:
    """By how much of the net sales that scores read has a cost."""
    from orchestration.scoring import FEATURES

    query = f"select sum(costed_net_amount), sum(net_amount) from {FEATURES} where as_of_date = ?"
    costed, net = build.execute(query, [as_of_date]).fetchall()[0]
    if not costed or not net:
        without = "Potential margin is withheld: no cost is known.", "成本未知，潜在毛利不予评分。"
        return Use(COST, (), WITHHELD, without)
    share = f"{100 * costed / net:.1f}"
    means = (
        f"Read by potential margin alone; {share} % of net sales have a cost, the rest count at the average rate.",
        f"仅潜在毛利使用；净销售额的 {share} % 有成本，其余按平均毛利率。",
    )
    return Use(COST, (lines,), READ, means)


def _delivered(build: duckdb.DuckDBPyConnection, known_at: datetime) -> list[Delivered]:
    """Every table of the contract, as known then."""
    accepted = build.execute(
        "select family || '.' || entity, sum(accepted)::bigint from run.run_batches where known_at <= ? group by all",
        [known_at],
    ).fetchall()
    rows, told = dict(accepted), []
    for table in load_contract().tables:
        days: tuple[date | None, date | None] = (None, None)
        if rows.get(table.name) and table.event_date:
            day = table.event_date
            query = f"select min({day}), max({day}) from raw.{table.raw_name} where known_from <= ?"
            days = build.execute(query, [known_at]).fetchall()[0]
        told.append(Delivered(table.name, rows.get(table.name, 0), *days))
    return told
