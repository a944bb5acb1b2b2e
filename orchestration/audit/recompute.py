"""A customer's tier computed again from its source rows and the release's rules, beside what was published.

Plain Decimal, by another path than the models': indicators from ``recompute_facts``, judgements from
``recompute_lenses``, then contributions, score and tier. What cannot be computed again is a step that says why.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import duckdb

from orchestration.audit.provenance import RATES, Source, SourceRow
from orchestration.audit.raw_zone import account_table
from orchestration.audit.recompute_facts import Entry, Key, Rates, converted, entries, indicators, quotient
from orchestration.audit.recompute_habits import Asked
from orchestration.audit.recompute_lenses import Lenses
from orchestration.audit.recompute_relations import relation_indicators
from orchestration.audit.recompute_tiers import Moved, gated, held, overruled
from orchestration.audit.rule_lines import CannotJudge, Policy, UnknownMethod
from orchestration.extract.contract import load_contract
from orchestration.release.report_queries import Row, fetch

Connection = duckdb.DuckDBPyConnection
FAMILY_ORDER = {"crm": "a", "sales": "b", "finance": "c"}


@dataclass(frozen=True)
class Step:
    """One thing computed: from what, by which rules (rows of policy_rules), and what the release says of it.

    ``is_equal`` is None where it was not computed again; ``how`` then says why, and the release's word is taken on.
    """

    stage: str
    what: str
    how: str
    rules: tuple[Row, ...]
    value: Any
    published: Any
    is_equal: bool | None


@dataclass(frozen=True)
class Recomputation:
    """All steps in order, what each source row added to which measure, and the exchange rates that were used."""

    steps: tuple[Step, ...]
    entries: tuple[Entry, ...]
    rates: tuple[SourceRow, ...]

    @property
    def tier(self) -> Step:
        return self.steps[-1]

    @property
    def unequal(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.is_equal is False)

    @property
    def untested(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.is_equal is None)


def recompute(
    release: Path, customer_id: str, source: Source, policy: Policy, before: Row | None = None
) -> Recomputation:
    """The steps from rows to tier, under the policy of the release; ``before`` is the decision of the day before."""
    with duckdb.connect() as marts:
        for file in release.glob("*.parquet"):
            marts.execute(f"create view {file.stem} as from read_parquet('{file}')")
        again = _Again(marts, customer_id, source, policy, before)
        found = again.indicators()
        again.tier(Lenses(marts, customer_id, again.figures, policy))
    used = sorted(again.rates.used, key=lambda row: (row.values["from_ccy"], row.values["rate_date"]))
    return Recomputation(tuple(again.steps), tuple(found), tuple(used))


class _Again:
    """The steps as they are taken, one customer's."""

    def __init__(self, marts: Connection, customer_id: str, source: Source, policy: Policy, before: Row | None) -> None:
        self.marts, self.customer_id, self.source, self.policy = marts, customer_id, source, policy
        self.before, self.accounts = before, set[Key]()
        self.steps: list[Step] = []
        self.figures: dict[str, Any] = {}
        self.bands: dict[str, str] = {}
        self.dropped: set[str] = set()
        (self.published,) = self._of_customer("customer_tiers")
        max_age = int(policy.parameter("fx_max_age_days")["rule_value"])
        self.rates = Rates(source.in_force(RATES), policy.version["reporting_currency"], max_age)

    def indicators(self) -> list[Entry]:
        """Whose rows they are, and every published indicator summed again."""
        self._identity(identity := self._of_customer("customer_identity"))
        self.accounts = accounts = {(row["source_system"], row["source_id"]) for row in identity}
        counted = {rule["rule_name"]: rule["rule_value"] == 1 for rule in self.policy.of("order_status", "is_counted")}
        windows = {rule["rule_name"]: rule for rule in self.policy.of("window", "window")}
        days = {name: rule["rule_value"] and int(rule["rule_value"]) for name, rule in windows.items()}
        found = entries(self.source, accounts, self.rates, counted)
        (published,) = self._of_customer("customer_indicators")
        names = [name for name in published if name not in ("as_of_date", "customer_id")]
        again = indicators(found, self.published["as_of_date"], days, names)
        asked = Asked(sorted(accounts), self.published["as_of_date"], days, self._parameter, self.rates)
        if "tenure_years" in names:  # a release of older code has none of them, and its policy not their parameters
            again |= relation_indicators(self.source, found, asked)
        tables = {account_table(row["family"], load_contract()).name for row in identity}
        standing = sum(len(self.source.in_force(table)) for table in tables)
        again["account_count"] = standing, standing
        self.figures |= {name: figure for name, (figure, _) in again.items()}
        for name in names:
            if name in again:
                window = windows.get(name.rpartition("_")[2])
                rules = (window,) if window and window["rule_value"] else ()
                self._step("indicator", name, f"{again[name][1]} rows", (self.figures[name], published[name]), rules)
            else:
                self._untested("indicator", name, "not computed again: how is not known here", published[name])
        return found

    def _parameter(self, name: str) -> Decimal:
        return Decimal(self.policy.parameter(name)["rule_value"])

    def tier(self, lenses: Lenses) -> None:
        """Every lens, those that count weighed and rounded; their sum; the tier whose bounds hold it."""
        told = {row["factor"]: row for row in self._of_customer("tier_explanations")}
        bands = {row["lens"]: row for row in self._of_customer("customer_bands")}
        weights = {rule["rule_name"]: rule for rule in self.policy.of("weight", "tier")}
        lit = {row["lens"] for row in fetch(self.marts, "select lens from lens_coverage where not is_dark")}
        for lens in sorted((set(bands) | lit) - set(weights)):
            self._score(lenses, lens, bands.get(lens))
        base = self.policy.parameter("tier_base_score")
        total = converted(base["rule_value"], Decimal(1)) or Decimal(0)
        self._step("score", "base", "the policy's", (total, _of(told, "base", "contribution")), (base,))
        by_weight = sorted(weights.items(), key=lambda item: (-item[1]["rule_value"], item[0]))
        scores = {lens: self._score(lenses, lens, bands.get(lens)) for lens, _ in by_weight}
        present = sum((weight["rule_value"] for lens, weight in by_weight if lens not in self.dropped), Decimal(0))
        points = rounded = Decimal(0)  # so far: their sum is rounded, and a contribution is what it grows by
        for lens, weight in by_weight:
            part, how = Decimal(0), f"{lens} cannot judge and leaves its weight to the others"
            if lens not in self.dropped:
                points += scores[lens] * weight["rule_value"]
                part = (quotient(points, present, "0.0001", ROUND_HALF_UP) or rounded) - rounded
                rounded += part
                of = f" / {_plain(present)}" if present != 1 else ""
                how = f"{lens}: {_plain(scores[lens])} points × {_plain(weight['rule_value'])}{of}"
            self._step("score", lens, how, (part, _of(told, lens, "contribution")), (weight,))
            total += part
        for factor in sorted(set(told) - set(weights) - {"base"}):
            self._untested("score", factor, "no weight of the policy stands behind it", told[factor]["contribution"])
            total += told[factor]["contribution"]
        self._step("tier", "tier_score", "the sum of these", (total, self.published["tier_score"]))
        try:
            band = self.policy.holding("tier", total)
        except CannotJudge as error:
            self._step("tier", "score_tier", str(error), (None, self.published["score_tier"]))
            return
        tiers = band["rule_name"], self.published["score_tier"]
        self._step("tier", "score_tier", f"the tier whose bounds hold {_plain(total)}", tiers, (band,))
        self._decided(band, total)

    def _decided(self, band: Row, total: Decimal) -> None:
        """From the tier of the score on: what the gates make of it, what stands, and what people decided."""
        rank = self.policy.rank("tier", band["rule_name"])
        plain, names = gated(self.policy, rank, self.bands)
        if "held_tier" not in self.published:  # a release of older code, which held nothing and let nobody overrule it
            self._tier("gated_tier", plain)
            return self._tier("tier", plain)
        standing = held(self.policy, total, self.published["as_of_date"], self.figures.get("tenure_days"), self.before)
        final, names = gated(self.policy, standing.rank, self.bands)
        self._tier("gated_tier", plain)
        self._tier("held_tier", standing)
        self._step("tier", "gates", final.how, (names, self.published["gates"]), final.rules)
        self._tier("decided_tier", final)
        self._tier("tier", overruled(self.policy, final.rank, self.source, self.accounts, self.published["as_of_date"]))

    def _tier(self, column: str, moved: Moved) -> None:
        band = self.policy.ranked("tier", moved.rank)
        self._step("tier", column, moved.how, (band["rule_name"], self.published[column]), (*moved.rules, band))

    def _identity(self, identity: list[Row]) -> None:
        """The id is the hash of the account known first. That accounts belong together is not computed again."""
        first = []
        for row in identity:
            table = account_table(row["family"], load_contract()).name
            versions = [
                version.known_from
                for version in self.source.rows
                if (version.table, version.source_system) == (table, row["source_system"])
                and version.record_id == row["source_id"]
                and not version.is_deleted
                and version.known_from != version.known_to
            ]
            if versions:
                first.append((min(versions), FAMILY_ORDER[row["family"]], row["source_system"], row["source_id"]))
        at, *rest = min(first) if first else (None, "")
        told = "|".join((f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}" if at else "", *rest))
        value = hashlib.sha256(told.encode()).hexdigest()[:16]
        self._step("identity", "customer_id", f"hash of the account known first, {told}", (value, self.customer_id))
        if rules := sorted({row["rule"] for row in identity} - {"none"}):
            how = f"not computed again: that {len(identity)} accounts are one customer, by {' and '.join(rules)}"
            self._untested("identity", "accounts", how, len(identity))

    def _score(self, lenses: Lenses, lens: str, told: Row | None) -> Decimal:
        """The points of a lens; the release's where it cannot be judged again."""
        said = f"{_plain(told['value'])} {told['band']}, {_plain(told['score'])}" if told else None
        try:
            judged = lenses.judge(lens)
        except UnknownMethod as error:
            self._untested("lens", lens, f"not computed again: {error}", said)
            self._found(lens, str(told["band"]) if told else "", is_defaulted=bool(told and told["is_defaulted"]))
            return Decimal(told["score"]) if told else Decimal(0)
        stands = told or not judged.is_defaulted  # whom a lens that decides nothing cannot judge has no row
        value = f"{_plain(judged.figure)} {judged.band}, {_plain(judged.score)}" if stands else None
        self._step("lens", lens, judged.how, (value, said), judged.rules)
        self._found(lens, judged.band, is_defaulted=judged.is_defaulted)
        return judged.score

    def _found(self, lens: str, band: str, *, is_defaulted: bool) -> None:
        self.bands[lens] = band
        if is_defaulted and self.policy.drops_out(lens):
            self.dropped.add(lens)

    def _of_customer(self, mart: str) -> list[Row]:
        return fetch(self.marts, f"select * from {mart} where customer_id = $customer", customer=self.customer_id)

    def _step(self, stage: str, what: str, how: str, both: tuple[Any, Any], rules: tuple[Row, ...] = ()) -> None:
        """``both``: the value computed again, and the published one."""
        self.steps.append(Step(stage, what, how, rules, *both, is_equal=both[0] == both[1]))

    def _untested(self, stage: str, what: str, how: str, published: Any) -> None:
        self.steps.append(Step(stage, what, how, (), None, published, None))


def _of(rows: Mapping[str, Row], name: str, column: str) -> Any:
    return rows[name][column] if name in rows else None


def _plain(number: Decimal | None) -> str:
    """A number without zeros that say nothing; a dash for none."""
    if number is None:
        return "–"
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
