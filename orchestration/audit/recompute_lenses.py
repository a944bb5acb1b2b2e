"""How a lens judges one customer, said again in plain Decimal: cut, rank, matrix, quantiles, share, stage of life.

Others' figures and a model's scores are read from the release's marts; the bounds are rows of its policy_rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

import duckdb

from orchestration.audit.recompute_facts import quotient
from orchestration.audit.rule_lines import CannotJudge, Policy, UnknownMethod
from orchestration.release.report_queries import Row, fetch


@dataclass(frozen=True)
class Judgement:
    """``figure`` is what was judged; ``how`` says it in words, ``rules`` are the rows of policy_rules that decided."""

    figure: Decimal | None
    band: str
    score: Decimal
    how: str
    rules: tuple[Row, ...]


class Lenses:
    """The lenses of a policy for one customer with these figures, among the customers of a release's marts."""

    def __init__(
        self, marts: duckdb.DuckDBPyConnection, customer_id: str, figures: Mapping[str, Any], policy: Policy
    ) -> None:
        self.marts, self.customer_id, self.figures, self.policy = marts, customer_id, figures, policy
        self.methods: dict[str, Callable[[str], Judgement]] = {
            "cut": self._cut,
            "rank": self._rank,
            "matrix": self._matrix,
            "quantile": self._quantile,
            "share": self._share,
            "lifecycle": self._lifecycle,
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
            return Judgement(None, rule["rule_name"], rule["rule_value"], f"{error}: the fallback stands in", (rule,))

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

    def _matrix(self, lens: str) -> Judgement:
        for cell in self.policy.of("cell", lens):
            axes, _, band = cell["provenance_note"].rpartition(": ")
            judged = [self.judge(axis) for axis in axes.split(" x ")]
            if any(part.figure is None for part in judged):
                raise CannotJudge(f"no band of one of {axes}")
            if cell["rule_name"] == " x ".join(part.band for part in judged):
                rule = self.policy.band(lens, band)
                how = f"cell {cell['rule_name']} of {axes}; " + "; ".join(part.how for part in judged)
                rules = (*(own for part in judged for own in part.rules), cell, rule)
                return Judgement(None, band, rule["rule_value"], how, rules)
        raise CannotJudge("no cell")

    def _quantile(self, lens: str) -> Judgement:
        """RFM: 1 + floor(groups x buyers strictly below / buyers), three times, weighed from 0 to full marks."""
        if not self.figures["order_count_365d"]:
            raise CannotJudge("no counted order in the window")
        groups, full = (self.policy.parameter(name) for name in ("quantile_count", "score_scale"))
        among = "customer_indicators where order_count_365d > 0"
        columns = {"recency": "last_order_date", "frequency": "order_count_365d", "monetary": "net_amount_365d"}
        marks, said = {}, []
        for factor, column in columns.items():
            below, count = self._below(column, among, self.figures[column])
            marks[factor] = 1 + int(groups["rule_value"]) * below // count
            said.append(f"{factor} {marks[factor]}: {below} of {count} buyers below")
        weights = {rule["rule_name"]: rule for rule in self.policy.of("weight", lens)}
        points = sum(weights[factor]["rule_value"] * (mark - 1) for factor, mark in marks.items())
        score = quotient(full["rule_value"] * points, groups["rule_value"] - 1, "0.0001", ROUND_HALF_UP)
        for segment in self.policy.of("rfm_segment", lens):
            first, last = (int(text) for text in re.findall(r"\d+", segment["provenance_note"]))
            is_recent = segment["lower_bound"] <= marks["recency"] <= segment["upper_bound"]
            if is_recent and first <= marks["frequency"] <= last:
                rules = (groups, full, *weights.values(), segment)
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
        year, tenure, recency = (self.figures[name] for name in ("net_amount_365d", "tenure_days", "recency_days"))
        before = self.figures["net_amount_730d"] - year
        if tenure is None:
            raise CannotJudge("no counted order")
        if tenure < new["rule_value"]:
            stage, rule = "introduction", new
        elif recency >= dormant["rule_value"]:
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

    def _source(self, name: str) -> tuple[str, str]:
        """Column and relation of a figure: an indicator, or a score with its horizon, as in ``churn_90d``."""
        if name in self.figures:
            return name, "customer_indicators"
        score, _, horizon = name.rpartition("_")
        if not (days := re.fullmatch(r"(\d+)d", horizon)):
            raise UnknownMethod(f"{name} is neither an indicator computed here nor a score")
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
