"""How a lens judges one customer, said again in plain Decimal: by its figures and texts, and among all customers.

Others' figures and a model's scores are read from the release's marts; the bounds are rows of its policy_rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from functools import partial
from typing import Any

import duckdb

from orchestration.audit.recompute_facts import quotient
from orchestration.audit.recompute_readers import Judgement, matrix, ranked, weighted
from orchestration.audit.rule_lines import CannotJudge, Policy, UnknownMethod
from orchestration.release.report_queries import fetch

# What a model says of a horizon, as cut_scores() of macros/indicators.sql lists it.
SCORES = {"inactive_probability", "expected_purchases", "expected_net_amount", "potential_margin_amount"}
# Of persons: judged where nobody sees them, so that nothing here could judge them again.
PRIVATE = {
    *("wealth_amount", "wealth_loan_amount", "product_count", "loan_count", "bank_profit_amount", "age_years"),
    *("has_loan", "household_stage", "income_band", "lifestyle", "profit_state", "profit_trend"),
}


class Lenses:
    """The lenses of a policy for one customer with these figures, among the customers of a release's marts."""

    def __init__(
        self, marts: duckdb.DuckDBPyConnection, customer_id: str, figures: Mapping[str, Any], policy: Policy
    ) -> None:
        self.marts, self.customer_id, self.figures, self.policy = marts, customer_id, figures, policy
        self.methods: dict[str, Callable[[str], Judgement]] = {
            "cut": self._cut,
            "rank": self._rank,
            "label": self._label,
            "matrix": partial(matrix, policy, self.judge),
            "worst": partial(ranked, policy, self.judge),
            "best": partial(ranked, policy, self.judge),
            "weighted": partial(weighted, policy, self.judge),
            "count": self._count,
            "quantile": self._quantile,
            "share": self._share,
            "lifecycle": self._lifecycle,
            "lead": self._lead,
        }

    def judge(self, lens: str) -> Judgement:
        """The lens's judgement, its fallback where there is none. Raises UnknownMethod."""
        if lens not in self.policy.lenses:
            raise UnknownMethod("the policy's files do not define it")
        method = self.methods.get(self.policy.lenses[lens]["method"])
        if method is None:
            raise UnknownMethod(f"its method {self.policy.lenses[lens]['method']} is not known here")
        try:
            return method(lens)
        except CannotJudge as error:
            (rule,) = self.policy.of("fallback", lens)
            how = f"{error}: the fallback stands in"
            return Judgement(None, rule["rule_name"], rule["rule_value"], how, (rule,), is_defaulted=True)

    def _cut(self, lens: str) -> Judgement:
        name = self.policy.lenses[lens]["indicator"]
        figure, where = self._figure(name)
        band = self.policy.holding(lens, figure)
        return Judgement(figure, band["rule_name"], band["rule_value"], f"{name} {where}", (band,))

    def _rank(self, lens: str) -> Judgement:
        name = self.policy.lenses[lens]["indicator"]
        figure, where = self._figure(name)
        below, count = self._below(*self._source(name), figure)
        band = self.policy.holding(lens, Decimal(below), Decimal(count))
        how = f"{name} {where}: {below} of {count} customers have less"
        return Judgement(figure, band["rule_name"], band["rule_value"], how, (band,))

    def _label(self, lens: str) -> Judgement:
        name = self.policy.lenses[lens]["indicator"]
        if name == "relation":
            text = self._relation()
        elif name in self.figures:
            text = self.figures[name]
            text = str(text).lower() if isinstance(text, bool) else text
        else:
            raise UnknownMethod(_unknown(name))
        for label in self.policy.of("label", lens):
            if label["rule_name"] == str(text):
                rule = self.policy.band(lens, label["provenance_note"])
                return Judgement(None, rule["rule_name"], rule["rule_value"], f"{name} is {text}", (label, rule))
        raise CannotJudge(f"no label of {name} {text}")

    def _count(self, lens: str) -> Judgement:
        """How many customers have the same band of another lens, as published."""
        of = self.policy.lenses[lens]["indicator"]
        own = self.judge(of)
        if own.is_defaulted:
            raise CannotJudge(f"no band of {of}")
        query = "select count(*) as n from customer_bands where lens = $lens and band = $band and not is_defaulted"
        (found,) = fetch(self.marts, query, lens=of, band=own.band)
        band = self.policy.holding(lens, Decimal(found["n"]))
        how = f"{found['n']} customers have {of} {own.band}"
        return Judgement(Decimal(found["n"]), band["rule_name"], band["rule_value"], how, (*own.rules, band))

    def _lead(self, lens: str) -> Judgement:
        """The best grade of the customer's leads."""
        grades = self.figures["lead_grades"]
        if not grades:
            raise CannotJudge("no lead that is not won")
        band = self.policy.ranked(lens, min(self.policy.rank(lens, grade) for grade in grades))
        how = f"the best of {len(grades)} leads that are not won"
        return Judgement(None, band["rule_name"], band["rule_value"], how, (band,))

    def _quantile(self, lens: str) -> Judgement:
        """RFM: 1 + floor(groups x buyers strictly below / buyers), three times, weighed from 0 to full marks."""
        if not self.figures["order_count_365d"]:
            raise CannotJudge("no counted order in the window")
        groups, full = (self.policy.parameter(name) for name in ("quantile_count", "score_scale"))
        metrics = {rule["rule_name"]: rule for rule in self.policy.of("rfm_metric", "rfm")}
        among = " and ".join(
            ["order_count_365d > 0", *(f"{rule['provenance_note']} is not null" for rule in metrics.values())]
        )
        marks, said = {}, []
        for factor, rule in metrics.items():
            name = rule["provenance_note"]
            if self.figures[name] is None:
                raise CannotJudge(f"no value of {name}")
            sign = "-" if rule["rule_value"] else ""
            figure = -self.figures[name] if sign else self.figures[name]
            worse, count = self._below(f"{sign}{name}", f"customer_indicators where {among}", figure)
            marks[factor] = 1 + int(groups["rule_value"]) * worse // count
            said.append(f"{factor} {marks[factor]}: {worse} of {count} buyers worse in {name}")
        weights = {rule["rule_name"]: rule for rule in self.policy.of("weight", "rfm")}
        points = sum(weights[factor]["rule_value"] * (mark - 1) for factor, mark in marks.items())
        score = quotient(full["rule_value"] * points, groups["rule_value"] - 1, "0.0001", ROUND_HALF_UP)
        for segment in self.policy.of("rfm_segment", lens):
            ends = [int(segment["lower_bound"]), int(segment["upper_bound"])]
            ends += [int(text) for text in re.findall(r"\d+", segment["provenance_note"])]
            if all(
                first <= marks[factor] <= last
                for factor, first, last in zip(("recency", "frequency", "monetary"), ends[::2], ends[1::2], strict=True)
            ):
                rules = (groups, full, *metrics.values(), *weights.values(), segment)
                return Judgement(score, segment["rule_name"], score or Decimal(0), "; ".join(said), rules)
        raise CannotJudge(f"no segment of {marks}")

    def _share(self, lens: str) -> Judgement:
        """ABC: the share of all positive margin that customers with a strictly larger margin have."""
        margin, net, costless = (self.figures[f"{name}_amount_365d"] for name in ("margin", "net", "costless"))
        if not self.figures["order_count_365d"]:
            raise CannotJudge("no counted order in the window")
        if not margin and net == costless:
            raise CannotJudge("no known cost in the window")
        (found,) = fetch(
            self.marts,
            "select coalesce(sum(greatest(margin_amount_365d, 0)) filter (margin_amount_365d > $margin), 0) as before, "
            "sum(greatest(margin_amount_365d, 0)) as total from customer_indicators where order_count_365d > 0 "
            "and (margin_amount_365d <> 0 or net_amount_365d <> costless_amount_365d)",
            margin=margin,
        )
        figure = quotient(found["before"], found["total"], "0.000001", ROUND_FLOOR)
        band = self.policy.holding(lens, found["before"], found["total"])
        how = f"customers with more margin than {margin:f} have {found['before']:f} of {found['total']:f}"
        return Judgement(figure, band["rule_name"], band["rule_value"], how, (band,))

    def _lifecycle(self, lens: str) -> Judgement:
        """By tenure, recency and a year's net sales against the year before."""
        new, dormant, growth, decline = (
            self.policy.parameter(f"lifecycle_{name}")
            for name in ("new_days", "dormant_days", "growth_ratio", "decline_ratio")
        )
        year = self.figures["net_amount_365d"]
        before = self.figures["net_amount_730d"] - year
        relation = self._relation()
        if relation == "prospect":
            raise CannotJudge("no counted order")
        if relation == "new":
            stage, rule = "introduction", new
        elif relation == "dormant":
            stage, rule = "decline", dormant
        elif year > 0 and year >= growth["rule_value"] * before:
            stage, rule = "growth", growth
        elif year < 0 or year < decline["rule_value"] * before:
            stage, rule = "decline", decline
        else:
            stage, rule = "maturity", decline
        figure = quotient(year - before, before, "0.000001", ROUND_FLOOR) if before > 0 else None
        band = self.policy.band(lens, stage)
        how = f"net sales of {year:f} against {before:f} the year before"
        return Judgement(figure, stage, band["rule_value"], how, (rule, band))

    def _relation(self) -> str:
        tenure, recency = self.figures["tenure_days"], self.figures["recency_days"]
        if tenure is None:
            return "prospect"
        if tenure < self.policy.parameter("lifecycle_new_days")["rule_value"]:
            return "new"
        is_dormant = recency >= self.policy.parameter("lifecycle_dormant_days")["rule_value"]
        return "dormant" if is_dormant else "established"

    def _source(self, name: str) -> tuple[str, str]:
        """Column and relation of a figure: an indicator, or a score with its horizon, as in ``churn_90d``."""
        if name in self.figures:
            return name, "customer_indicators"
        score, _, horizon = name.rpartition("_")
        if score not in SCORES or not (days := re.fullmatch(r"(\d+)d", horizon)):
            raise UnknownMethod(_unknown(name))
        return score, f"customer_scores where horizon_days = {days[1]}"

    def _figure(self, name: str) -> tuple[Decimal, str]:
        """The figure computed before, or the model's word for a score. Raises CannotJudge without one."""
        column, relation = self._source(name)
        if name in self.figures:
            figure, where = self.figures[name], "as computed above"
        else:
            query = f"select {column} as figure, model_version from {relation} and customer_id = $customer_id"
            found = fetch(self.marts, query, customer_id=self.customer_id)
            figure = found[0]["figure"] if found else None
            where = f"as model {found[0]['model_version']} expects" if found else ""
        if figure is None:
            raise CannotJudge(f"no value of {name}")
        return Decimal(figure), f"{figure} {where}"

    def _below(self, column: str, relation: str, figure: Any) -> tuple[int, int]:
        """How many of a relation have strictly less, and how many there are."""
        query = f"select count(*) filter ({column} < $figure) as below, count({column}) as all_of from "
        (found,) = fetch(self.marts, f"{query} (select * from {relation})", figure=figure)
        return found["below"], found["all_of"]


def _unknown(name: str) -> str:
    """Why an indicator cannot be judged by here."""
    if name in PRIVATE:
        return f"{name} is a figure of persons, which no mart shows"
    return f"{name} is neither an indicator computed here nor a score"
