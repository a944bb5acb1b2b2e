"""The picture of what a ranking finds, for the model card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from orchestration.release.drawing import ACCENT, GRID, PALE, SOFT, STRONG, axes_in, render

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def gains(rows: Sequence[Mapping[str, Any]], part: str, label: str) -> str:
    """Share of ``part`` (buyers, value) among the tenths of customers ranked highest: by the score, by the best simple
    rule and by chance."""
    tenths = [0, *(int(row["tenth"]) for row in rows)]
    curves = {name: [0.0, *(float(row[name] or 0) for row in rows)] for name in (part, f"{part}_rule")}

    def draw(figure: Figure) -> None:
        axes = axes_in(figure, (0.13, 0.16, 0.81, 0.81))
        axes.plot((0, 10), (0, 1), color=PALE, linewidth=1, linestyle=(0, (4, 4)))
        axes.plot(tenths, curves[f"{part}_rule"], color=ACCENT, linewidth=1.3, label="best simple rule")
        axes.plot(tenths, curves[part], color=STRONG, linewidth=2, label="score")
        axes.plot([], [], color=PALE, linewidth=1, linestyle=(0, (4, 4)), label="chance")
        axes.set_xticks([0, 2, 4, 6, 8, 10], ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"])
        axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])
        axes.set_xlim(0, 10)
        axes.set_ylim(0, 1.02)
        axes.set_xlabel("customers ranked highest")
        axes.set_ylabel(label)
        axes.grid(color=GRID, linewidth=0.8)
        axes.legend(loc="lower right", frameon=False, labelcolor=SOFT)

    says = "; ".join(
        f"first {10 * int(row['tenth'])} %: {100 * float(row[part] or 0):.0f} % of {label}, "
        f"{100 * float(row[f'{part}_rule'] or 0):.0f} % by the rule"
        for row in rows
    )
    return render(f"gains {part}", says, (450, 304), draw)
