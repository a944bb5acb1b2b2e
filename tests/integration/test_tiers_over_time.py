"""Promises of what people decide against the engine: delivered like any other record, in force on the days it names,
told beside what the engine decides, and never part of what the next day goes on from.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from installation import Published, copy_of, current, rows, settings_of, tiering

from orchestration.audit.dossier import dossier

HEADER = "编号,系统,客户编号,评级,最低等级,最高等级,理由,批准人,生效日,失效日"


@dataclass(frozen=True)
class Overruled:
    """A home whose next day came with orders of people, by customer, and what was decided on it."""

    home: Path
    day: date
    before: date
    customers: dict[str, str]
    tiers: dict[str, tuple[str, ...]]


@pytest.fixture(scope="module")
def overruled(published_home: Published, tmp_path_factory: pytest.TempPathFactory) -> Overruled:
    home, day = copy_of(published_home, tmp_path_factory.mktemp("overruled")), published_home.next_day
    release = current(home)
    # A customer's accounts of the CRM are interchangeable; one that is overruled already is left alone.
    found = rows(
        f"""
        select tiers.decided_tier, customer_id, min(identity.source_id)
        from '{release}/customer_tiers.parquet' as tiers
        inner join '{release}/customer_identity.parquet' as identity using (customer_id)
        where identity.source_system = 'crm' and tiers.tier = tiers.decided_tier and tiers.gates is null
        group by all order by all desc
        """
    )
    of_tier: dict[str, list[tuple[str, str]]] = {}
    for tier, customer, account in found:
        of_tier.setdefault(tier, []).append((customer, account))
    customers: dict[str, str] = {}
    lines = [HEADER]

    def order(name: str, account: str, tiers: str, since: date, until: str = "") -> None:
        """``tiers``: floor and ceiling as the file has them, with a comma between."""
        lines.append(f"{name},CRM,{account},客户等级,{tiers},理由,批准人,{since},{until}")

    def somebody(tier: str, name: str) -> str:
        customers[name], account = of_tier[tier].pop()
        return account

    order("floor", somebody("T4", "floor"), "T2,", day)
    order("ceiling", somebody("T1", "ceiling"), ",T3", published_home.days[0], str(day + timedelta(days=1)))
    order("ended", somebody("T4", "ended"), "T1,", published_home.days[0], str(day))
    order("tomorrow", somebody("T4", "tomorrow"), "T1,", day + timedelta(days=1))
    order("agreed", somebody("T1", "agreed"), "T2,", day)
    overlap, conflict = somebody("T4", "overlap"), somebody("T4", "conflict")
    order("overlap_lower", overlap, "T3,", day)
    order("overlap_higher", overlap, "T1,", day)
    order("conflict_floor", conflict, "T1,", day)
    order("conflict_ceiling", conflict, ",T2", day)
    order("nobody", "A999999", "T1,", day)
    order("no_such_tier", somebody("T3", "no_such_tier"), "T1,T0", day)
    # What was in force on every day until now ends: told again under its number, with an end.
    (first,) = (home / "landing" / "reference").iterdir()
    number, system, account, *told, _ = first.read_text(encoding="utf-8").splitlines()[1].split(",")
    lines.append(",".join([number, system, account, *told, str(day)]))
    [(customers["lifted_until_now"],)] = rows(
        f"select customer_id from '{release}/customer_identity.parquet' "
        f"where source_system = 'crm' and source_id = '{account}'"
    )
    delivered = first.with_name(f"override_{day:%Y%m%d}.csv")
    assert not delivered.exists()
    delivered.write_text("\n".join(lines) + "\n", encoding="utf-8")
    ran = tiering(home, "run", "--date", str(day))
    assert ran.returncode == 0, ran.stderr
    decided = rows(
        "select customer_id, score_tier, gated_tier, held_tier, decided_tier, tier "
        f"from '{current(home)}/customer_tiers.parquet'"
    )
    return Overruled(
        home, day, published_home.days[-1], customers, {customer: tuple(told) for customer, *told in decided}
    )


def test_people_move_a_tier_as_the_rule_says_and_the_engine_s_own_stays_told(overruled: Overruled) -> None:
    tier = {name: tuple(overruled.tiers[customer][-2:]) for name, customer in overruled.customers.items()}
    assert tier.pop("lifted_until_now")[0] > "T2", "the engine has come to agree with the order that ended"
    assert tier == {
        "floor": ("T4", "T2"),
        "ceiling": ("T1", "T3"),
        "ended": ("T4", "T4"),
        "tomorrow": ("T4", "T4"),
        "agreed": ("T1", "T1"),
        "overlap": ("T4", "T1"),
        "conflict": ("T4", "T2"),
        "no_such_tier": ("T3", "T3"),
    }
    unmoved = [told for customer, told in overruled.tiers.items() if customer not in overruled.customers.values()]
    assert [told for told in unmoved if told[-1] != told[-2]] == []


def test_people_are_the_cause_of_every_tier_that_they_moved(overruled: Overruled) -> None:
    moved = [overruled.customers[name] for name in ("floor", "ceiling", "overlap", "conflict", "lifted_until_now")]
    named = ", ".join(f"'{customer}'" for customer in moved)
    release = current(overruled.home)
    told = rows(
        f"select changes.step, changes.main_cause, moves.main_cause from '{release}/tier_changes.parquet' as changes "
        f"inner join '{release}/tier_movements.parquet' as moves on changes.customer_id = moves.customer_id "
        "and changes.as_of_date = moves.movement_date "
        f"where changes.customer_id in ({named})"
    )
    assert told == [("override",) * 3] * len(moved)


def test_every_order_in_force_is_told_with_what_it_does(overruled: Overruled) -> None:
    told = rows(
        f"select override_id, effect, decided_tier, tier from '{current(overruled.home)}/tier_overrides.parquet'"
    )
    assert {name: effect for name, *effect in told} == {
        "floor": ["moves", "T4", "T2"],
        "ceiling": ["moves", "T1", "T3"],
        "agreed": ["stands", "T1", "T1"],
        "overlap_lower": ["outdone", "T4", "T1"],
        "overlap_higher": ["moves", "T4", "T1"],
        "conflict_floor": ["outdone", "T4", "T2"],
        "conflict_ceiling": ["moves", "T4", "T2"],
        "nobody": ["no such customer", None, None],
        "no_such_tier": ["no such tier", "T3", "T3"],
    }


def test_what_people_decided_is_no_past_that_a_later_day_goes_on_from(overruled: Overruled) -> None:
    """A tier that people had lifted for years, and that nobody earned, is gone on the day the order ends."""
    ledger = "select score_tier, decided_tier, tier, held_rank from read_parquet(?) where customer_id = ?"
    customer = overruled.customers["lifted_until_now"]
    (before,), (after,) = (
        rows(ledger, str(overruled.home / "decisions" / f"{day}.parquet"), customer)
        for day in (overruled.before, overruled.day)
    )
    assert before[2] == "T2" < before[1]
    assert after == (before[0], before[1], before[1], before[3])


def test_what_the_score_holds_is_the_best_of_its_days_whatever_people_decided(overruled: Overruled) -> None:
    """The ledger is shorter than the days of dwelling: who was there on all of them has lost nothing."""
    held = rows(
        """
        select customer_id, min(held_rank) filter (where as_of_date = ?), min(substring(score_tier, 2)::bigint)
        from read_parquet(?) group by customer_id having count(*) = 5
        """,
        overruled.day,
        str(overruled.home / "decisions" / "*.parquet"),
    )
    assert len(held) > 100
    assert [row for row in held if row[1] != row[2]] == []


def test_who_is_overruled_is_explained_in_both_languages_and_computed_again(overruled: Overruled) -> None:
    customer = overruled.customers["floor"]
    told, zh = (
        tiering(overruled.home, "explain", customer, "--lang", language).stdout.replace("\n", " ")
        for language in ("en", "zh")
    )
    assert "is in tier T2 (Core)" in told
    assert f"The engine decides T4; people decided T2 at least since {overruled.day}: 理由." in told
    assert f"系统判定 T4；人工决定 不低于 T2，自 {overruled.day} 起：理由。" in zh
    for name in ("floor", "ceiling", "overlap", "conflict", "no_such_tier", "ended", "lifted_until_now"):
        document = dossier(settings_of(overruled.home), current(overruled.home), overruled.customers[name], "en")
        assert [seal["what"] for seal in document["seals"] if not seal["is_kept"]] == [], name
        tiers = {step["what"]: step["value"] for step in document["steps"] if step["stage"] == "tier"}
        asked = ("score_tier", "gated_tier", "held_tier", "decided_tier", "tier")
        assert tuple(tiers[step] for step in asked) == overruled.tiers[overruled.customers[name]]
