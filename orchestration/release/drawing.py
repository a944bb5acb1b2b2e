"""How every picture of the report is drawn: one style, one <svg> element, the same bytes for the same numbers.

No date, no creator, ids from a fixed salt. Text stays text, so that the viewer's fonts write Chinese. matplotlib is
imported on use, since it costs half a second that no other command should pay.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, SOFT, GRID, ACCENT = "#16212b", "#5b6873", "#e3e7ea", "#b5540a"
STRONG, PALE = "#2a7ab0", "#b9c4cc"
SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "text.parse_math": False,
    "text.color": INK,
    "axes.edgecolor": GRID,
    "axes.labelcolor": SOFT,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "axes.unicode_minus": True,
    "xtick.major.pad": 6,
    "ytick.major.pad": 6,
}
NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
Box = tuple[float, float, float, float]


def axes_in(figure: Figure, box: Box) -> Axes:
    axes = figure.add_axes(box)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set_axisbelow(True)
    return axes


def render(name: str, says: str, size: tuple[int, int], draw: Callable[[Figure], None]) -> str:
    """One <svg> element of ``size`` CSS pixels, without a prolog, metadata or anything that points outside."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    file = io.StringIO()
    with mpl.rc_context(), warnings.catch_warnings():
        # The machine's own matplotlibrc would make other bytes of the same facts.
        mpl.rcdefaults()
        settings: Any = mpl.rcParams
        settings.update({**SETTINGS, "svg.hashsalt": f"tiering {name}"})
        # Chinese is measured with a font that lacks it; the viewer's font draws it.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure = Figure(figsize=(size[0] / 72, size[1] / 72), dpi=72)
        draw(figure)
        figure.savefig(file, format="svg", transparent=True, metadata=NO_METADATA)
    body = re.search(r"<svg[^>]*>(.*)</svg>", file.getvalue(), re.DOTALL)
    if body is None:
        raise ValueError(f"chart {name}: matplotlib wrote no <svg> element, expected one")
    # Groups carry ids that repeat from chart to chart; only definitions are referred to.
    inner = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>|(?<=<g) id=\"[^\"]*\"", "", body[1], flags=re.DOTALL)
    inner = re.sub(r"\n\s*", "\n", inner).strip()
    label = escape(says, quote=True)
    return (
        f'<svg class="chart" role="img" aria-label="{label}" viewBox="0 0 {size[0]} {size[1]}" '
        f'width="{size[0]}" height="{size[1]}">{inner}</svg>'
    )
