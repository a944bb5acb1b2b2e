"""Why a customer is in its tier, from one release alone: inputs, bands, weights, contributions, movements."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb

from orchestration.errors import PlainError
from orchestration.release import causes
from orchestration.release.catalogue import connect_to
from orchestration.release.gap_words import gap_of, gap_sentences
from orchestration.release.phrases import LANGUAGES, PHRASES, plain
from orchestration.release.report_queries import Row, fetch
from orchestration.release.score_words import reasons_of, scores_in_words

Connection = duckdb.DuckDBPyConnection


class UnknownCustomer(PlainError):
    """The release has no such customer, or the code names several."""


@dataclass(frozen=True)
class Explanation:
    """All that a release says of one customer. ``factors`` are rows of tier_explanations, the base first; their
    contributions sum to ``tier_score`` exactly. ``other_bands``: lenses that judged without a weight; ``scores``: what
    a model expects, by horizon; ``score_reasons``: why. ``causes``: what changed the score since the decision before.
    ``standings``: how it stands towards each tier, the highest first; ``gates``, ``overrides``: what is open and in
    force. ``points_to_next``: to the tier above the engine's; null in the highest and where gates hold (``holding``).
    ``gap``: its row of tier_gaps."""

    customer: Row
    accounts: tuple[Row, ...]
    factors: tuple[Row, ...]
    other_bands: tuple[Row, ...]
    scores: tuple[Row, ...]
    score_reasons: tuple[Row, ...]
    movements: tuple[Row, ...]
    causes: tuple[Row, ...]
    standings: tuple[Row, ...]
    gates: tuple[Row, ...]
    overrides: tuple[Row, ...]
    next_tier: Row | None
    points_to_next: Decimal | None
    holding: tuple[str, ...]
    gap: Row | None
    labels: dict[tuple[str, str, str], tuple[str, str]]

    @property
    def tier_score(self) -> Decimal:
        return Decimal(self.customer["tier_score"])

    @property
    def missing_inputs(self) -> tuple[str, ...]:
        return tuple(sorted({row["missing_input"] for row in self.factors if row["missing_input"]}))


def explain(release: Path, customer: str) -> Explanation:
    """Explain a customer by its id or by the code any system knows it under.

    Raises UnknownCustomer when there is none, or when systems use the code for different customers.
    """
    with connect_to(release) as connection:
        connection.execute("set timezone = 'UTC'")
        customer_id = _find(connection, customer)

        def of_customer(query: str) -> tuple[Row, ...]:
            return tuple(fetch(connection, query, customer_id=customer_id))

        (found,) = of_customer(
            "select tiers.*, described.customer_name, described.tier_label_en, described.tier_label_zh "
            "from customer_tiers as tiers inner join customer_360 as described using (customer_id) "
            "where customer_id = $customer_id"
        )
        rules = fetch(connection, "select * from policy_rules")
        gates = of_customer("select * from tier_gates where customer_id = $customer_id order by gate")
        upwards = _tiers_upwards(rules)
        higher = upwards[[row["tier"] for row in upwards].index(found["decided_tier"]) + 1 :]
        holding = tuple(
            gate["gate"] for gate in gates if higher and gate["ceiling_tier"] and _holds(gate["ceiling_tier"], higher)
        )
        return Explanation(
            customer=found,
            accounts=of_customer(
                "select source_system, source_id, family, rule from customer_identity "
                "where customer_id = $customer_id order by is_anchor desc, source_system, source_id"
            ),
            factors=of_customer(
                "select * from tier_explanations where customer_id = $customer_id "
                "order by factor <> 'base', contribution desc, factor"
            ),
            other_bands=of_customer(
                "select lens, value, band from customer_bands where customer_id = $customer_id and not is_defaulted "
                "and lens not in (select factor from tier_explanations) order by lens"
            ),
            scores=of_customer(
                "select * exclude (as_of_date, customer_id) from customer_scores "
                "where customer_id = $customer_id and inactive_probability is not null order by horizon_days"
            ),
            score_reasons=tuple(reasons_of(connection, customer_id)),
            movements=of_customer(
                "select * from tier_movements where customer_id = $customer_id order by movement_date"
            ),
            causes=tuple(causes.causes_of(connection, customer_id)),
            standings=of_customer("select * from tier_standings where customer_id = $customer_id order by tier_rank"),
            gates=gates,
            overrides=of_customer(
                "select * from tier_overrides where customer_id = $customer_id order by valid_from_date, override_id"
            ),
            next_tier=higher[0] if higher and not holding else None,
            points_to_next=higher[0]["lower_bound"] - found["tier_score"] if higher and not holding else None,
            holding=holding,
            gap=gap_of(connection, customer_id),
            labels={
                (row["rule_kind"], row["subject"], row["rule_name"]): (row["label_en"], row["label_zh"])
                for row in rules
            },
        )


def in_words(explanation: Explanation, language: str) -> list[str]:
    """The explanation as sentences to read aloud, in English (``en``) or Chinese (``zh``)."""
    say, nth = PHRASES[language], LANGUAGES.index(language)
    customer = explanation.customer

    def label(kind: str, subject: str, name: str) -> str:
        return explanation.labels.get((kind, subject, name), (name, name))[nth] or name

    def band(factor: str, name: str) -> str:
        kind = "rfm_segment" if (("rfm_segment", factor, name) in explanation.labels) else "band"
        return label(kind, factor, name)

    accounts = [f"{row['source_system']} {row['source_id']}" for row in explanation.accounts]
    words = [
        say["verdict"].format(
            name=customer["customer_name"] or customer["customer_id"],
            tier=customer["tier"],
            label=customer[f"tier_label_{language}"],
            as_of_date=customer["as_of_date"],
            score=plain(explanation.tier_score),
        ),
        say["known"].format(
            known_at=f"{customer['known_at']:%Y-%m-%d %H:%M} UTC", policy_version=customer["policy_version"]
        ),
        say["accounts"].format(count=len(accounts), accounts=say["comma"].join(accounts)),
    ]
    for row in explanation.factors:
        contribution = plain(row["contribution"])
        if row["factor"] == "base":
            words.append(say["base"].format(contribution=contribution))
            continue
        words.append(
            say[_told_as(row)].format(
                label=label("weight", "tier", row["factor"]),
                value=f"{plain(row['value'])} → " if row["value"] is not None else "",
                band=band(row["factor"], row["band"]),
                reason=row["reason"],
                score=plain(row["score"]),
                weight=plain(row["weight"]),
                present=f" / {plain(row['present_weight'])}" if row["present_weight"] != 1 else "",
                contribution=contribution,
            )
        )
    words.append(say["sum"].format(score=plain(explanation.tier_score)))
    words += causes.change_in_words(explanation.causes, nth)
    if customer["held_tier"] != customer["score_tier"]:
        (held,) = (row for row in explanation.standings if row["tier"] == customer["held_tier"])
        falls = say["falls"].format(day=held["falls_on_date"]) if held["falls_on_date"] else ""
        words.append(say["stands"].format(earned_tier=customer["score_tier"], falls=falls, **held))
    gate_labels = {name: said[nth] or name for (kind, _, name), said in explanation.labels.items() if kind == "gate"}
    if customer["gates"]:
        moved = say["comma"].join(gate_labels[name] for name in customer["gates"].split(", "))
        words.append(say["gated"].format(tier=customer["held_tier"], gates=moved))
    words += [
        say["overruled" if row["effect"] == "moves" else "in_force"].format(
            bounds=say["comma"].join(
                say[name].format(tier=row[f"{name}_tier"]) for name in ("floor", "ceiling") if row[f"{name}_tier"]
            ),
            until=say["until"].format(day=row["valid_to_date"]) if row["valid_to_date"] else "",
            **row,
        )
        for row in explanation.overrides
    ]
    if following := explanation.next_tier:
        points, label_of = plain(explanation.points_to_next), following[f"label_{language}"]
        words.append(say["gap"].format(points=points, tier=following["tier"], label=label_of))
    elif explanation.holding:
        words.append(say["held"].format(gates=say["comma"].join(gate_labels[name] for name in explanation.holding)))
    else:
        words.append(say["top"])
    words += gap_sentences(explanation.gap, language)
    if explanation.other_bands:
        bands = [
            say["band"].format(lens=label("lens", "lens", row["lens"]), band=band(row["lens"], row["band"]))
            for row in explanation.other_bands
        ]
        words.append(say["also"].format(bands=say["comma"].join(bands)))
    words += scores_in_words(explanation.scores, explanation.score_reasons, language)
    words += [say[move["direction"]].format(**move) + causes.mainly(move, nth) for move in explanation.movements]
    if explanation.missing_inputs:
        words.append(say["missing"].format(inputs=say["comma"].join(explanation.missing_inputs)))
    return words


def _find(connection: Connection, customer: str) -> str:
    found = connection.execute(
        "select customer_id from customer_tiers where customer_id = $1 "
        "union select identity.customer_id from customer_identity as identity "
        "inner join customer_tiers using (customer_id) where identity.source_id = $1",
        [customer],
    ).fetchall()
    if len(found) == 1:
        return str(found[0][0])
    if found:
        several = ", ".join(sorted(row[0] for row in found))
        raise UnknownCustomer(f"explain: {customer!r} is the code of several customers, expected one of: {several}")
    raise UnknownCustomer(
        f"explain: no customer {customer!r} has a tier in this release, expected a customer_id or an account's code; "
        '`tiering sql "select * from customer_identity"` lists both'
    )


def _tiers_upwards(rules: list[Row]) -> list[Row]:
    """The tiers, the lowest first."""
    tiers = [rule for rule in rules if (rule["rule_kind"], rule["subject"]) == ("band", "tier")]
    upwards = sorted(tiers, key=lambda rule: (rule["lower_bound"] is not None, rule["lower_bound"]))
    return [rule | {"tier": rule["rule_name"]} for rule in upwards]


def _holds(ceiling: str, higher: list[Row]) -> bool:
    """Whether a ceiling lies below the next of the higher tiers, so that no points lead there."""
    return ceiling not in {row["tier"] for row in higher}


def _told_as(factor: Row) -> str:
    """The phrase for a factor: one that cannot judge stands in or drops out, which leaves it without a contribution."""
    if not factor["is_defaulted"]:
        return "factor"
    return "dropped" if factor["is_dropped"] else "defaulted"
