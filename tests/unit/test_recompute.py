"""Promises of the second way: figures from rows by hand, rules found in the policy's own lines."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.audit.provenance import Source, SourceRow
from orchestration.audit.recompute_facts import Rates, entries, indicators
from orchestration.audit.recompute_lenses import PRIVATE, SCORES, Lenses
from orchestration.audit.rule_lines import CannotJudge, Policy, UnknownMethod, located, read_policy
from orchestration.policy import PolicyError
from orchestration.release.gates import open_gates
from orchestration.settings import DBT_PROJECT, POLICY_SEEDS

AS_OF = date(2025, 6, 30)
WINDOWS = {"90d": 90, "365d": 365, "730d": 730, "all": None}
COUNTED = {"fulfilled": True, "cancelled": False}
ME = {("sales", "C1"), ("finance", "D1"), ("crm", "A1")}


def row(table: str, key: str, **values: Any) -> SourceRow:
    family = table.split(".", maxsplit=1)[0]
    at = datetime(2025, 7, 1, tzinfo=UTC)
    place = {"file": f"{family}/f.csv", "source_line": 1, "delivery_date": AS_OF, "batch_id": "b1"}
    known = {"state": "in force", "known_from": at, "known_to": None, "is_deleted": False}
    return SourceRow(table=table, source_system=family, record_id=key, values=values, **place, **known)  # type: ignore[arg-type]


def rate(day: date, value: str) -> SourceRow:
    said = {"from_ccy": "USD", "to_ccy": "CNY", "rate_kind": "spot", "rate_date": day, "rate": Decimal(value)}
    return row("finance.fx_rate", str(day), **said)


def order(key: str, day: date, *, customer: str = "C1", currency: str = "CNY", status: str = "fulfilled") -> SourceRow:
    said = {"customer_ref": customer, "business_date": day, "status": status, "currency": currency}
    return row("sales.order", key, **said)


def line(key: str, of: str, net: str, cost: str | None) -> SourceRow:
    amounts = {"gross_amount": Decimal(net), "discount_amount": Decimal(0), "net_amount": Decimal(net)}
    return row("sales.order_line", key, order_id=of, cost_amount=cost and Decimal(cost), **amounts)


def back(
    key: str, of: str | None, day: date, net: str, *, customer: str | None = "C1", currency: str = "CNY"
) -> SourceRow:
    said = {"original_line_id": of, "customer_ref": customer, "business_date": day, "currency": currency}
    return row("sales.return_line", key, net_amount=Decimal(net), cost_amount=None, **said)


def invoice(key: str, issued: date, due: date | None, total: str, status: str = "open") -> SourceRow:
    said = {"customer_ref": "D1", "issued_date": issued, "due_date": due, "currency": "CNY", "status": status}
    return row("finance.invoice", key, total_amount=Decimal(total), **said)


def paid(of: str, day: date, amount: str) -> SourceRow:
    return row("finance.payment_allocation", f"P|{of}|{day}", invoice_id=of, applied_date=day, amount=Decimal(amount))


def figures(*rows: SourceRow) -> dict[str, Any]:
    """Every indicator by name, without how many rows it was added up from."""
    source = Source(rows, (), 0, (), ())
    found = entries(source, ME, Rates(source.in_force("finance.fx_rate"), "CNY", 7), COUNTED)
    measures = ("order_count", "net_amount", "returned_amount", "margin_amount", "costless_amount", "due_amount")
    names = [f"{measure}_{window}" for measure in (*measures, "collected_amount") for window in WINDOWS]
    names += [
        "open_amount",
        "overdue_amount",
        "recency_days",
        "tenure_days",
        "collection_rate_730d",
        "return_rate_365d",
    ]
    return {name: value for name, (value, _) in indicators(found, AS_OF, WINDOWS, [*names, "unheard_of"]).items()}


def test_a_full_refund_cancels_to_the_cent_at_the_rate_of_its_order() -> None:
    bought, returned = date(2025, 5, 1), date(2025, 6, 1)
    found = figures(
        *(rate(date(2025, 4, 28), "7.12345678"), rate(returned, "7.9")),
        *(order("O1", bought, currency="USD"), line("L1", "O1", "33.33", "20.00")),
        back("R1", "L1", returned, "-33.33", currency="USD"),
    )
    assert found["returned_amount_365d"] == Decimal("237.4248")  # 33.33 x 7.12345678, rounded half away from zero
    assert found["net_amount_365d"] == 0
    assert found["return_rate_365d"] == Decimal("1.000000")


def test_what_cannot_be_converted_does_not_count_and_an_old_rate_is_no_rate() -> None:
    rows = (order("O1", date(2025, 5, 1), currency="USD"), line("L1", "O1", "10", "4"))
    assert figures(*rows, rate(date(2025, 4, 24), "7"))["net_amount_all"] == Decimal("70.0000")
    assert figures(*rows, rate(date(2025, 4, 23), "7"))["order_count_all"] == 0


def test_orders_count_by_status_customer_and_window() -> None:
    found = figures(
        *(order("O1", date(2025, 6, 30)), line("L1", "O1", "10", None)),
        *(order("O2", date(2024, 7, 1)), line("L2", "O2", "20", "15")),  # the first day of 365
        *(order("O3", date(2024, 6, 30)), line("L3", "O3", "40", "15")),  # the day before
        *(order("O4", date(2025, 6, 1), status="cancelled"), line("L4", "O4", "80", "15")),
        *(order("O5", date(2025, 6, 1), customer="C2"), line("L5", "O5", "160", "15")),
        *(order("O6", date(2025, 7, 1)), line("L6", "O6", "320", "15")),  # tomorrow
    )
    assert (found["order_count_365d"], found["net_amount_365d"], found["net_amount_730d"]) == (2, 30, 70)
    assert (found["margin_amount_365d"], found["costless_amount_365d"]) == (5, 10)
    assert (found["recency_days"], found["tenure_days"]) == (0, 365)


def test_a_return_without_its_order_is_its_own_and_one_without_a_customer_its_orders() -> None:
    found = figures(
        *(order("O1", date(2025, 6, 1)), line("L1", "O1", "100", "50")),
        back("R1", None, date(2025, 6, 2), "-1"),
        back("R2", "L1", date(2025, 6, 3), "-2", customer=None),
        back("R3", None, date(2025, 6, 3), "-4", customer=None),
    )
    assert found["returned_amount_90d"] == 3


def test_receivables_are_due_paid_and_overdue_on_their_days() -> None:
    found = figures(
        *(invoice("I1", date(2025, 5, 1), date(2025, 5, 31), "100"), paid("I1", date(2025, 6, 10), "60")),
        *(invoice("I2", date(2025, 6, 20), date(2025, 6, 30), "10"), invoice("I3", date(2025, 6, 20), None, "1")),
        *(invoice("I4", date(2025, 6, 1), None, "999", "void"), paid("I2", date(2025, 7, 1), "10")),
    )
    assert found["open_amount"] == 51
    assert found["overdue_amount"] == 41  # I2 falls due on the day itself
    assert (found["due_amount_730d"], found["collected_amount_730d"]) == (111, 60)
    assert found["collection_rate_730d"] == Decimal("0.540540")  # rounded down


def test_an_unknown_indicator_is_left_out_and_not_guessed() -> None:
    assert "unheard_of" not in figures()


RULE = {
    **{"policy_version": "2025.1", "rule_kind": "weight", "subject": "tier", "rule_name": "rfm"},
    **{"lower_bound": None, "upper_bound": None, "rule_value": Decimal("0.300000")},
}


def test_a_rule_is_found_in_its_line_and_one_changed_cell_is_seen(tmp_path: Path) -> None:
    folder = tmp_path / "policy"
    shutil.copytree(POLICY_SEEDS, folder)
    (rule,) = located(folder, [RULE])
    lines = (folder / rule["file"]).read_text(encoding="utf-8").splitlines()
    assert lines[rule["line"] - 1].startswith("2025.1,tier,rfm,0.3000,")
    assert rule["is_as_written"]
    text = (folder / rule["file"]).read_text(encoding="utf-8")
    (folder / rule["file"]).write_text(text.replace("tier,rfm,0.3000", "tier,rfm,0.3001"), encoding="utf-8")
    assert not located(folder, [RULE])[0]["is_as_written"]
    (gone,) = located(folder, [RULE | {"rule_name": "nothing"}])
    assert (gone["file"], gone["is_as_written"]) == (None, False)


def test_a_policy_that_no_longer_states_the_version_is_refused() -> None:
    with pytest.raises(PolicyError, match=r"states no version 1999\.1, expected it: the release was decided under it"):
        read_policy(POLICY_SEEDS, "1999.1", [])


def test_the_lower_bound_belongs_to_the_better_band_and_outside_all_of_them_nothing_is_said() -> None:
    bands = [
        {"rule_kind": "band", "subject": "x", "rule_name": name, "lower_bound": low, "upper_bound": high}
        for name, low, high in (("low", Decimal(0), Decimal("0.5")), ("high", Decimal("0.5"), Decimal(1)))
    ]
    policy = Policy({}, tuple(bands), {})
    assert policy.holding("x", Decimal(1), Decimal(2))["rule_name"] == "high"
    assert policy.holding("x", Decimal("0.4999"))["rule_name"] == "low"
    with pytest.raises(CannotJudge, match="no band of x holds 1 of 1"):
        policy.holding("x", Decimal(1))


def said(
    kind: str, subject: str, name: str, value: str | None = None, note: str | None = None, *bounds: str
) -> dict[str, Any]:
    lower, upper = (Decimal(bound) if bound else None for bound in bounds or ("", ""))
    told = {"rule_kind": kind, "subject": subject, "rule_name": name, "provenance_note": note}
    return told | {"rule_value": value and Decimal(value), "lower_bound": lower, "upper_bound": upper}


def lens(method: str, indicator: str = "", on_missing: str = "fallback") -> dict[str, Any]:
    return {"method": method, "indicator": indicator, "on_missing": on_missing}


def lenses(**figures: Any) -> Lenses:
    """Two cuts at 5 and what reads them, among two others of whom ``x`` is high."""
    cuts = [
        said("band", name, band, score, None, *bounds)
        for name in ("x", "y")
        for band, score, bounds in (("low", "20", ("", "5")), ("high", "50.0002", ("5", "")))
    ]
    own = [said("band", name, band, score) for name in ("w", "b") for band, score in (("A", "100"), ("B", "50"))]
    rules = (
        *cuts, *own,
        said("band", "s", "all", "1", None, "", ""), said("band", "n", "few", "2", None, "", "3"),
        said("band", "k", "known", "3"), said("label", "k", "company", "3", "known"),
        said("part", "w", "x", "1"), said("part", "w", "y", "0"),
        said("part", "b", "x", "0"), said("part", "b", "y", "0"),
        said("weight", "s", "x", "0.3333"), said("weight", "s", "y", "0.6667"),
        *(said("fallback", name, "unknown", "30") for name in "xywbsnkp"),
    )  # fmt: skip
    of = {
        **{"x": lens("cut", "x_figure"), "y": lens("cut", "y_figure", "renormalise"), "w": lens("worst")},
        **{"b": lens("best"), "s": lens("weighted"), "n": lens("count", "x"), "k": lens("label", "kind")},
        "p": lens("cut", "wealth_amount"),
    }
    ranks = {(name, band): rank for name in "xy" for band, rank in (("high", 1), ("low", 2))}
    ranks |= {(name, band): rank for name in "wb" for band, rank in (("A", 1), ("B", 2))}
    marts = duckdb.connect()
    marts.execute(
        "create table customer_bands as select * from (values ('x', 'high', false), ('x', 'high', false), "
        "('x', 'high', true), ('x', 'low', false)) as bands(lens, band, is_defaulted)"
    )
    return Lenses(
        marts, "c1", {"x_figure": None, "y_figure": None, "kind": None} | figures, Policy({}, rules, of, ranks)
    )


def test_lenses_that_read_others_judge_as_the_policy_says() -> None:
    both = lenses(x_figure=Decimal(9), y_figure=Decimal(4), kind="company")
    assert [both.judge(name).band for name in ("x", "y", "w", "b", "n", "k")] == [
        "high",
        "low",
        "B",
        "A",
        "few",
        "known",
    ]
    assert both.judge("n").figure == 2
    assert both.judge("s").figure == Decimal("29.9991")  # 50.0002 x 0.3333 + 20 x 0.6667 = 29.99906666


def test_a_part_that_is_missing_is_passed_over_stood_in_for_or_missed() -> None:
    dropped, stood_in_for, nothing = lenses(x_figure=Decimal(9)), lenses(y_figure=Decimal(9)), lenses(kind="unheard of")
    assert dropped.judge("s").figure == Decimal("50.0002")
    assert stood_in_for.judge("s").figure == Decimal("43.3341")  # 30 x 0.3333 + 50.0002 x 0.6667 = 43.33413334
    assert (dropped.judge("w").band, stood_in_for.judge("b").band) == ("A", "A")
    assert stood_in_for.judge("w").is_defaulted
    assert all(nothing.judge(name).is_defaulted for name in ("x", "y", "w", "b", "s", "n", "k"))


def test_what_is_private_cannot_be_judged_again_and_the_list_is_that_of_the_models() -> None:
    with pytest.raises(UnknownMethod, match="wealth_amount is a figure of persons, which no mart shows"):
        lenses().judge("p")
    macros = (DBT_PROJECT / "macros" / "indicators.sql").read_text(encoding="utf-8")
    lists = re.findall(r"macro private_\w+\(\) %}(.*?)endmacro", macros, re.DOTALL)
    assert {name for names in lists for name in re.findall(r"'(\w+)'", names)} == PRIVATE
    (scores,) = re.findall(r"macro cut_scores\(\) %}(.*?)endmacro", macros, re.DOTALL)
    assert set(re.findall(r"'(\w+)'", scores)) == SCORES


def test_a_gate_is_open_to_who_has_its_band() -> None:
    rules = [
        said("gate", "credit", "poor", None, "D: at most T2; a note: with a colon"),
        said("gate", "key", "key", None, "yes: at least T1"),
        said("gate", "key", "pin", None, "yes: at least T3 at most T2"),
        said("band", "key", "yes"),
    ]
    found = open_gates(rules, {"key": "yes", "credit": "D"})
    assert [(gate.name, gate.floor, gate.ceiling) for gate in found] == [
        ("key", "T1", None), ("pin", "T3", "T2"), ("poor", None, "T2")
    ]  # fmt: skip
    assert open_gates(rules, {"credit": "C"}) == []
