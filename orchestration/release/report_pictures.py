"""Which pictures the report has figures for: rows of a release in, charts as markup out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import duckdb
from markupsafe import Markup

from orchestration.release import charts, report_queries
from orchestration.release import report_format as fmt
from orchestration.release.report_queries import Row, fetch

# Presentation only: the point called out on the Pareto curve, and how many days of history are drawn.
MARKED_SHARE = 0.2
HISTORY_POINTS = 120
# Presentation only: the unit of an axis is the largest that its largest value reaches.
UNITS = ((1_000_000, "M"), (1_000, "k"), (1, ""))


def draw_pictures(
    connection: duckdb.DuckDBPyConnection,
    as_of_date: date,
    currency: str,
    tiers: Sequence[Row],
    history: Sequence[tuple[date, str, int]],
) -> dict[str, Markup | None]:
    """Charts by name; None where there is nothing to draw, so that the page can say so."""
    drawn = {
        "tiers": _tiers(tiers),
        "pareto": _pareto(connection),
        "monthly": _monthly(connection, as_of_date, currency),
        "segments": _segments(connection),
        "heat": _heat(connection),
        "history": _history(history, tiers),
    }
    # Safe: charts escape every text they write.
    return {name: None if svg is None else Markup(svg) for name, svg in drawn.items()}


def _tiers(tiers: Sequence[Row]) -> str | None:
    if not any(tier["customers"] for tier in tiers):
        return None
    shares = ("customer_share", "sales_share")
    return charts.tier_bars([(t["tier"], t["colour"], *(float(t[name] or 0) for name in shares)) for t in tiers])


def _pareto(connection: duckdb.DuckDBPyConnection) -> str | None:
    rows = report_queries.concentration(connection)
    if not rows:
        return None
    points = [(row["place"] / row["customers"], float(row["running"] / row["total"])) for row in rows]
    marked = next(point for point in points if point[0] >= MARKED_SHARE)
    return charts.pareto(points, marked)


def _monthly(connection: duckdb.DuckDBPyConnection, as_of_date: date, currency: str) -> str | None:
    rows = {row["month_date"]: row for row in report_queries.months(connection, as_of_date)}
    if not rows:
        return None
    first = min(rows)
    span = (as_of_date.year - first.year) * 12 + as_of_date.month - first.month + 1
    months = [date(first.year + (first.month - 1 + n) // 12, (first.month - 1 + n) % 12 + 1, 1) for n in range(span)]
    largest = max(abs(row["net"]) for row in rows.values())
    divisor, unit = next(
        (float(bound), f"{letter} {currency}".strip()) for bound, letter in UNITS if largest >= bound or bound == 1
    )
    none = {"net": 0, "margin": 0}
    figures = [(month, rows.get(month, none)) for month in months]
    drawn = [(month, float(row["net"]) / divisor, float(row["margin"]) / divisor) for month, row in figures]
    return charts.monthly(drawn, unit)


def _segments(connection: duckdb.DuckDBPyConnection) -> str | None:
    rows = report_queries.segments(connection)
    if not any(row["customers"] for row in rows):
        return None
    names = [f"{row['label_en']} {row['label_zh']}".strip() for row in rows]
    figures = [(row["customers"], float(row["net"]), fmt.short(row["net"])) for row in rows]
    return charts.segments([(name, *figure) for name, figure in zip(names, figures, strict=True)])


def _heat(connection: duckdb.DuckDBPyConnection) -> str | None:
    query = "select r_score, f_score, count(*) as customers from customer_rfm group by all order by all"
    cells = {(row["r_score"], row["f_score"]): row["customers"] for row in fetch(connection, query)}
    if not cells:
        return None
    policy = "select rule_value from policy_rules where rule_kind = 'parameter' and rule_name = 'quantile_count'"
    groups = [int(row["rule_value"]) for row in fetch(connection, policy)]
    return charts.heat_map(cells, max(*groups, *(score for cell in cells for score in cell)))


def _history(history: Sequence[tuple[date, str, int]], tiers: Sequence[Row]) -> str | None:
    """Areas need two days at least. A long history is thinned evenly; its first and last day stay."""
    counted = {(day, tier): customers for day, tier, customers in history}
    days = sorted({day for day, _, _ in history})
    if len(days) < 2:
        return None
    if len(days) > HISTORY_POINTS:
        days = [days[place * (len(days) - 1) // (HISTORY_POINTS - 1)] for place in range(HISTORY_POINTS)]
    known = {tier["tier"]: tier["colour"] for tier in tiers}
    # A tier of an earlier policy is part of history, though not of today's rules.
    known |= dict.fromkeys(sorted({tier for _, tier, _ in history} - set(known)), fmt.FALLBACK)
    return charts.tier_areas(
        days, [(tier, colour, [counted.get((day, tier), 0) for day in days]) for tier, colour in known.items()]
    )
