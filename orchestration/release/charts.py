"""The report's pictures: numbers in, one inline SVG each out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from orchestration.release.drawing import ACCENT, GRID, INK, PALE, SOFT, STRONG, Box, axes_in, render
from orchestration.release.report_format import ink

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def tier_bars(tiers: Sequence[tuple[str, str, float, float]]) -> str:
    """Per tier (name, colour, share of customers, share of sales): two bars, one under the other."""

    def draw(figure: Figure) -> None:
        axes = axes_in(figure, (0.08, 0.01, 0.6, 0.98))
        for row, (name, colour, customers, sales) in enumerate(tiers):
            axes.barh(row - 0.19, customers, height=0.34, color=PALE)
            axes.barh(row + 0.19, max(sales, 0), height=0.34, color=colour, edgecolor=SOFT, linewidth=0.4)
            axes.text(customers + 0.01, row - 0.19, f"{_percent(customers)} of customers", va="center", color=SOFT)
            axes.text(max(sales, 0) + 0.01, row + 0.19, f"{_percent(sales)} of sales", va="center", weight="bold")
            axes.text(-0.02, row, name, ha="right", va="center", weight="bold")
        axes.set_xlim(0, max([0.2, *(max(row[2:]) for row in tiers)]))
        axes.set_ylim(len(tiers) - 0.5, -0.5)
        axes.axis("off")

    says = "; ".join(f"{name}: {_percent(c)} of customers, {_percent(s)} of sales" for name, _, c, s in tiers)
    return render("tiers", says, (400, 30 + 54 * len(tiers)), draw)


def pareto(points: Sequence[tuple[float, float]], marked: tuple[float, float]) -> str:
    """The curve of (share of customers, share of their sales) with one point called out."""

    def draw(figure: Figure) -> None:
        axes = axes_in(figure, (0.1, 0.14, 0.86, 0.82))
        x, y = (0.0, *(p[0] for p in points)), (0.0, *(p[1] for p in points))
        axes.plot((0, 1), (0, 1), color=PALE, linewidth=1, linestyle=(0, (4, 4)))
        axes.text(0.62, 0.53, "if all were equal", color=SOFT)
        axes.fill_between(x, y, color=STRONG, alpha=0.12, linewidth=0)
        axes.plot(x, y, color=STRONG, linewidth=2)
        axes.plot(*([place] for place in marked), marker="o", color=ACCENT, markersize=7)
        text = f"{marked[0] * 100:.0f} % of buyers bring {_percent(marked[1])}"
        axes.text(marked[0] + 0.03, marked[1] - 0.075, text, color=ACCENT, weight="bold")
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1.03)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_ticks([0, 0.2, 0.4, 0.6, 0.8, 1], ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"])
        axes.set_xlabel("share of buying customers, largest first")
        axes.grid(color=GRID, linewidth=0.8)

    says = f"{_percent(marked[0])} of buying customers bring {_percent(marked[1])} of net sales"
    return render("pareto", says, (550, 300), draw)


def monthly(months: Sequence[tuple[date, float, float]], unit: str) -> str:
    """Net sales as bars and margin, where any is known, as a line per month, in ``unit``."""
    has_margin = any(margin for _, _, margin in months)

    def draw(figure: Figure) -> None:
        axes = axes_in(figure, (0.07, 0.09, 0.91, 0.83))
        places = range(len(months))
        axes.bar(places, [net for _, net, _ in months], color=STRONG, width=0.72)
        if has_margin:
            axes.plot(places, [margin for _, _, margin in months], color=ACCENT, linewidth=2)
        axes.axhline(0, color=SOFT, linewidth=0.8)
        starts = [place for place, (month, _, _) in enumerate(months) if month.month == 1 or place == 0]
        starts = [place for place in starts if place or len(starts) < 2 or starts[1] > 3]
        axes.set_xticks(starts, [f"{months[place][0]:%Y-%m}" for place in starts], ha="left")
        axes.set_xlim(-0.6, len(months) - 0.4)
        axes.grid(axis="y", color=GRID, linewidth=0.8)
        axes.text(0, 1.03, f"{unit} per month", color=SOFT, transform=axes.transAxes)
        right = 0.86 if has_margin else 1
        axes.text(right, 1.03, "■ net sales", color=STRONG, ha="right", transform=axes.transAxes, weight="bold")
        if has_margin:
            axes.text(1, 1.03, "▬ margin", color=ACCENT, ha="right", transform=axes.transAxes, weight="bold")

    says = f"net sales{' and margin' if has_margin else ''} per month, {months[0][0]:%Y-%m} to {months[-1][0]:%Y-%m}"
    return render("monthly", says, (550, 300), draw)


def segments(rows: Sequence[tuple[str, int, float, str]]) -> str:
    """Per segment (name, customers, sales, sales in words): two panels of bars that share their names."""

    height = 34 + 27 * len(rows)
    top = 1 - 24 / height

    def draw(figure: Figure) -> None:
        panels: list[tuple[Box, str, list[float], list[str], str]] = [
            ((0.33, 0.0, 0.2, top), "customers", [float(r[1]) for r in rows], [f"{r[1]:,}" for r in rows], PALE),
            ((0.65, 0.0, 0.22, top), "net sales, 365 days", [r[2] for r in rows], [r[3] for r in rows], STRONG),
        ]
        for box, title, values, texts, colour in panels:
            axes = axes_in(figure, box)
            widest = max([1e-9, *values])
            axes.barh(range(len(rows)), [max(value, 0) for value in values], color=colour, height=0.66)
            for place, (value, text) in enumerate(zip(values, texts, strict=True)):
                axes.text(max(value, 0) + widest * 0.04, place, text, va="center")
            axes.annotate(title, (0, 1), (0, 6), "axes fraction", "offset points", color=SOFT)
            axes.set_xlim(0, widest)
            axes.set_ylim(len(rows) - 0.5, -0.5)
            axes.axis("off")
        for place, row in enumerate(rows):
            figure.text(0.315, top * (1 - (place + 0.5) / len(rows)), row[0], ha="right", va="center")

    says = "; ".join(f"{name}: {customers:,} customers, {words}" for name, customers, _, words in rows)
    return render("segments", says, (650, height), draw)


def heat_map(cells: dict[tuple[int, int], int], groups: int) -> str:
    """Customers per (recency score, frequency score), both from 1 to ``groups``; recent buyers on top."""

    def draw(figure: Figure) -> None:
        from matplotlib.patches import Rectangle

        axes = axes_in(figure, (0.13, 0.15, 0.85, 0.83))
        most = max([1, *cells.values()])
        for recency in range(1, groups + 1):
            for frequency in range(1, groups + 1):
                found = cells.get((recency, frequency), 0)
                shade = (found / most) ** 0.6 if found else 0.0
                face = tuple(1 - shade * (1 - part) for part in (0x1D / 255, 0x5F / 255, 0x91 / 255))
                box = Rectangle((frequency - 0.48, recency - 0.47), 0.96, 0.94, facecolor=face, edgecolor=GRID)
                axes.add_patch(box)
                colour = "#ffffff" if shade > 0.7 else INK if found else SOFT
                axes.text(frequency, recency, f"{found:,}", ha="center", va="center", color=colour)
        axes.set_xlim(0.5, groups + 0.5)
        axes.set_ylim(0.5, groups + 0.5)
        ticks = range(1, groups + 1)
        axes.set_xticks(ticks)
        axes.set_yticks(ticks)
        axes.set_xlabel(f"frequency score: 1 seldom … {groups} often")
        axes.set_ylabel(f"recency score: 1 long ago … {groups} just now")

    says = f"customers by recency and frequency score, {sum(cells.values()):,} in all"
    return render("heat", says, (450, 304), draw)


def tier_areas(days: Sequence[date], tiers: Sequence[tuple[str, str, Sequence[int]]]) -> str:
    """Customers per tier (name, colour, one count a day) as areas, the highest tier at the bottom."""

    def draw(figure: Figure) -> None:
        from matplotlib.ticker import MaxNLocator

        axes = axes_in(figure, (0.045, 0.12, 0.85, 0.84))
        places = [(day - days[0]).days for day in days]
        floor = [0] * len(days)
        for name, colour, counts in tiers:
            top = [low + more for low, more in zip(floor, counts, strict=True)]
            axes.fill_between(places, floor, top, color=colour, linewidth=0)
            axes.plot(places, top, color="#ffffff", linewidth=1)
            if counts[-1]:
                middle = (floor[-1] + top[-1]) / 2
                axes.text(places[-1] * 1.01, middle, f"{name} {counts[-1]:,}", va="center", weight="bold")
            floor = top
        shown = sorted({0, len(days) // 2, len(days) - 1})
        axes.set_xticks([places[place] for place in shown], [days[place].isoformat() for place in shown])
        axes.get_xticklabels()[0].set_horizontalalignment("left")
        axes.get_xticklabels()[-1].set_horizontalalignment("right")
        axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.set_xlim(0, places[-1])
        axes.set_ylim(0, max([1, *floor]) * 1.05)
        axes.grid(axis="y", color=GRID, linewidth=0.8)

    says = f"customers per tier from {days[0]} to {days[-1]}"
    return render("history", says, (1136, 240), draw)


def calibration(bins: Sequence[tuple[float, float, int]]) -> str:
    """Per bin (predicted, observed, customers): how often what was predicted came, against the diagonal."""

    def draw(figure: Figure) -> None:
        axes = axes_in(figure, (0.13, 0.16, 0.81, 0.81))
        axes.plot((0, 1), (0, 1), color=PALE, linewidth=1, linestyle=(0, (4, 4)))
        axes.text(0.97, 0.9, "as predicted", color=SOFT, ha="right")
        most = max([1, *(customers for _, _, customers in bins)])
        sizes = [20 + 90 * customers / most for _, _, customers in bins]
        predicted, observed = ([row[place] for row in bins] for place in (0, 1))
        axes.plot(predicted, observed, color=STRONG, linewidth=1.5, alpha=0.5)
        axes.scatter(predicted, observed, s=sizes, color=STRONG, zorder=3)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_ticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1.02)
        axes.set_xlabel("predicted: no purchase in the horizon")
        axes.set_ylabel("observed")
        axes.grid(color=GRID, linewidth=0.8)

    says = "; ".join(f"predicted {_percent(p)}, observed {_percent(o)}" for p, o, _ in bins)
    return render("calibration", says, (450, 304), draw)


def cluster_tiers(clusters: Sequence[tuple[str, Sequence[float]]], tiers: Sequence[tuple[str, str]]) -> str:
    """Per cluster (name, its share of each tier) one bar, parted by ``tiers`` (name, colour)."""
    height = 44 + 30 * len(clusters)
    top = 1 - 34 / height

    def draw(figure: Figure) -> None:
        axes = axes_in(figure, (0.13, 0.0, 0.85, top))
        for place, (name, shares) in enumerate(clusters):
            start = 0.0
            for (_, colour), share in zip(tiers, shares, strict=True):
                axes.barh(place, share, left=start, height=0.72, color=colour, edgecolor="#ffffff", linewidth=0.8)
                if share >= 0.06:
                    middle, words = start + share / 2, f"{share * 100:.0f} %"
                    axes.text(middle, place, words, ha="center", va="center", color=ink(colour))
                start += share
            axes.text(-0.015, place, name, ha="right", va="center")
        for place, (tier, colour) in enumerate(tiers):
            figure.text(0.13 + 0.09 * place, 1 - 16 / height, "■", color=colour, va="center")
            figure.text(0.155 + 0.09 * place, 1 - 16 / height, tier, color=SOFT, va="center")
        axes.set_xlim(0, 1)
        axes.set_ylim(len(clusters) - 0.5, -0.5)
        axes.axis("off")

    says = "; ".join(
        f"{name}: {', '.join(f'{tier} {_percent(share)}' for (tier, _), share in zip(tiers, shares, strict=True))}"
        for name, shares in clusters
    )
    return render("clusters", says, (550, height), draw)


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"
