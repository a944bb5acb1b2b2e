"""How a lens that reads the bands of others judges, said again in plain Decimal: matrix, worst, best, weighted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from orchestration.audit.recompute_facts import quotient
from orchestration.audit.rule_lines import CannotJudge, Policy
from orchestration.release.report_queries import Row


@dataclass(frozen=True)
class Judgement:
    """``figure`` is what was judged; ``how`` says it in words, ``rules`` are the rows of policy_rules that decided."""

    figure: Decimal | None
    band: str
    score: Decimal
    how: str
    rules: tuple[Row, ...]
    is_defaulted: bool = False


Judge = Callable[[str], Judgement]


def ranked(policy: Policy, judge: Judge, lens: str) -> Judgement:
    """The band of the worst or the best rank that the bands of its parts have."""
    parts = {part["rule_name"]: part for part in policy.of("part", lens)}
    judged = {name: judge(name) for name in parts}
    missing = [name for name, part in judged.items() if part.is_defaulted]
    if len(missing) == len(parts) or any(parts[name]["rule_value"] for name in missing):
        raise CannotJudge(f"no band of {' and '.join(missing)}")
    ranks = {name: policy.rank(name, part.band) for name, part in judged.items() if name not in missing}
    method = policy.lenses[lens]["method"]
    rank = (max if method == "worst" else min)(ranks.values())
    band = policy.ranked(lens, rank)
    deciding = [name for name in ranks if ranks[name] == rank]
    how = f"the {method} of its parts is {' and '.join(f'{name} {judged[name].band}' for name in deciding)}"
    return Judgement(None, band["rule_name"], band["rule_value"], how, (*(parts[name] for name in deciding), band))


def weighted(policy: Policy, judge: Judge, lens: str) -> Judgement:
    """Points of the factors by weight; one without a band counts as its fallback or leaves its weight to the others."""
    weights = {rule["rule_name"]: rule for rule in policy.of("weight", lens)}
    judged = {name: judge(name) for name in weights}
    if all(factor.is_defaulted for factor in judged.values()):
        raise CannotJudge(f"no band of any of {' '.join(weights)}")
    points, present, said = Decimal(0), Decimal(0), []
    for name, factor in judged.items():
        if not (factor.is_defaulted and policy.drops_out(name)):
            points += factor.score * weights[name]["rule_value"]
            present += weights[name]["rule_value"]
            said.append(f"{name} {factor.score:f}")
    figure = quotient(points, present, "0.0001", ROUND_HALF_UP) or Decimal(0)
    band = policy.holding(lens, figure)
    return Judgement(figure, band["rule_name"], band["rule_value"], ", ".join(said), (*weights.values(), band))


def matrix(policy: Policy, judge: Judge, lens: str) -> Judgement:
    """The cell of the bands of two other lenses."""
    for cell in policy.of("cell", lens):
        axes, _, band = cell["provenance_note"].rpartition(": ")
        axes = axes.partition(", next ")[0]
        judged = [judge(axis) for axis in axes.split(" x ")]
        if any(part.is_defaulted for part in judged):
            raise CannotJudge(f"no band of one of {axes}")
        if cell["rule_name"] == " x ".join(part.band for part in judged):
            rule = policy.band(lens, band)
            how = f"cell {cell['rule_name']} of {axes}; " + "; ".join(part.how for part in judged)
            rules = (*(own for part in judged for own in part.rules), cell, rule)
            return Judgement(None, band, rule["rule_value"], how, rules)
    raise CannotJudge("no cell")
