"""From a score to the tier that counts, once more: what stands from the day before, gates, what people decided."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from orchestration.audit.provenance import Source
from orchestration.audit.recompute_facts import Key
from orchestration.audit.rule_lines import Policy
from orchestration.release.gates import Gate, open_gates
from orchestration.release.report_queries import Row

STAYING = ("tier_keep_margin", "tier_dwell_days", "tier_hold_days", "tier_grace_days", "tier_review_months")


@dataclass(frozen=True)
class Moved:
    """A tier by its rank, what made it so, and the rules behind that."""

    rank: int
    how: str
    rules: tuple[Row, ...] = ()


def held(policy: Policy, score: Decimal, as_of: date, tenure_days: int | None, before: Row | None) -> Moved:
    """The best tier that the score earns, or that the customer had the day before and may not lose yet.

    ``before`` is the decision of the day before: held_rank, and by rank last_kept_dates and last_earned_dates.
    """
    rules = {name: policy.parameter(name) for name in STAYING}
    margin, dwell, hold, grace, months = (rule["rule_value"] for rule in rules.values())
    is_review = months == 0 or (as_of.day == 1 and (as_of.month - 1) % int(months) == 0)
    may_fall = is_review and (tenure_days is None or tenure_days >= grace)
    for band in sorted(policy.of("band", "tier"), key=lambda band: policy.rank("tier", band["rule_name"])):
        rank, bound = policy.rank("tier", band["rule_name"]), band["lower_bound"]
        if bound is None or score >= bound:
            return Moved(rank, f"{band['rule_name']} is earned", (band,))
        if before is None or before["held_rank"] is None or rank < before["held_rank"]:
            continue
        kept = as_of if score + margin >= bound else before["last_kept_dates"][rank - 1]
        earned = before["last_earned_dates"][rank - 1]
        if not may_fall or _is_within(kept, as_of, dwell) or _is_within(earned, as_of, hold):
            how = f"{band['rule_name']} was held the day before, last kept {kept} and earned {earned}"
            return Moved(rank, how, (band, *rules.values()))
    raise ValueError("no tier without a lower bound")


def gated(policy: Policy, rank: int, bands: Mapping[str, str]) -> tuple[Moved, str | None]:
    """No lower than the highest floor of the gates that the bands open, then no higher than the lowest ceiling; and the
    names of the gates that moved it."""
    gates, ranks = open_gates(policy.rules, bands), _ranks(policy)
    floor = min((ranks[gate.floor] for gate in gates if gate.floor), default=rank)
    lifted = min(rank, floor)
    ceiling = max((ranks[gate.ceiling] for gate in gates if gate.ceiling), default=lifted)
    lifting = [gate for gate in gates if gate.floor and ranks[gate.floor] == floor < rank]
    holding = [gate for gate in gates if gate.ceiling and ranks[gate.ceiling] == ceiling > lifted]

    def order(gate: Gate) -> tuple[int, str]:
        return ranks.get(gate.floor, len(ranks)), gate.name

    moved = sorted({*lifting, *holding}, key=order)
    how = "; ".join(f"{gate.name}: {gate.lens} is {gate.band}" for gate in moved) or "no gate moved it from that"
    names = ", ".join(gate.name for gate in moved) or None
    return Moved(max(lifted, ceiling), how, tuple(gate.rule for gate in moved)), names


def overruled(policy: Policy, rank: int, source: Source, accounts: Collection[Key], as_of: date) -> Moved:
    """What people decided of the customer and is in force, by the same rule as gates."""
    ranks = _ranks(policy)
    decided = [
        (row.record_id, row.values)
        for row in source.in_force("reference.override")
        if row.values["scheme"] == "tier"
        and (row.values["customer_system"], row.values["customer_ref"]) in accounts
        and row.values["valid_from"] <= as_of
        and (row.values["valid_to"] is None or as_of < row.values["valid_to"])
        and {row.values["floor_tier"], row.values["ceiling_tier"]} <= {*ranks, None}
    ]
    floors = [ranks[said["floor_tier"]] for _, said in decided if said["floor_tier"]]
    ceilings = [ranks[said["ceiling_tier"]] for _, said in decided if said["ceiling_tier"]]
    how = "; ".join(f"{number}: {said['reason']}" for number, said in decided) or "nobody overruled it"
    lifted = min([rank, *floors])
    return Moved(max([lifted, *ceilings]), how)


def _ranks(policy: Policy) -> dict[Any, int]:
    return {band["rule_name"]: policy.rank("tier", band["rule_name"]) for band in policy.of("band", "tier")}


def _is_within(day: date | None, as_of: date, days: Decimal) -> bool:
    return day is not None and day > as_of - timedelta(days=int(days))
