"""How pages write numbers, dates and bounds, which colour a rank has, and where their templates are read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

MILLION = Decimal(1_000_000)
NOTHING = "–"
MINUS = "−"
# One hue from dark to light: the order survives colour blindness and a black-and-white printer.
RAMP = ((0x0B, 0x3C, 0x5D), (0x2A, 0x7A, 0xB0), (0x7D, 0xB8, 0xDA), (0xCF, 0xE0, 0xEA))
DARK_INK, LIGHT_INK = "#16212b", "#ffffff"
FALLBACK = "#d9d5cc"


def page_templates(folder: Path) -> Environment:
    """Templates of ``folder`` and those all pages share, ``page.css.j2``, with what pages write figures by."""
    environment = Environment(
        loader=FileSystemLoader([folder, Path(__file__).parent]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": count,
        "exact": exact,
        "amount": amount,
        "percent": percent,
        "number": number,
        "instant": instant,
        "dash": lambda text: text or NOTHING,
        "words": lambda name: str(name).replace("_", " "),
    }
    environment.globals |= {"bounds": bounds, "share": share, "behind": behind}
    return environment


def count(value: int | Decimal) -> str:
    return _signed(f"{value:,}")


def exact(value: Decimal | None) -> str:
    """All digits the mart holds, at least two after the point: ``1,234.5000`` is ``1,234.50``."""
    if value is None:
        return NOTHING
    whole, _, digits = f"{Decimal(value):,.4f}".partition(".")
    return _signed(f"{whole}.{digits[:2]}{digits[2:].rstrip('0')}")


def short(value: Decimal | None) -> str:
    """For reading: ``75.13 M`` from a million on, whole units below."""
    if value is None:
        return NOTHING
    value = Decimal(value)
    if abs(value) >= MILLION:
        return _signed(f"{_rounded(value / MILLION, '0.01'):,} M")
    return _signed(f"{_rounded(value, '1'):,}")


def amount(value: Decimal | None, currency: str = "") -> Markup:
    """``short`` on the page, ``exact`` in the title."""
    if value is None:
        return Markup(NOTHING)
    unit = f" {currency}" if currency else ""
    return Markup('<span class="n" title="{}">{}</span>').format(exact(value) + unit, short(value) + unit)


def share(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    """``part / whole``; None where there is no whole to be a part of."""
    return Decimal(part) / Decimal(whole) if whole > 0 else None


def percent(value: Decimal | None) -> str:
    return NOTHING if value is None else _signed(f"{_rounded(value * 100, '0.1'):,} %")


def trend(recent: Decimal, whole: Decimal, days: int, days_of_whole: int, flat: Decimal) -> tuple[str, str]:
    """A direction (up, down, flat or unknown) and its words: the recent window scaled to the whole one, against it."""
    if whole <= 0:
        return "unknown", NOTHING
    change = recent * days_of_whole / days / whole - 1
    text = f"{_rounded(abs(change) * 100, '0.1')} %"
    if abs(change) <= flat:
        return "flat", f"► {_sign(change)}{text}"
    return ("up", f"▲ +{text}") if change > 0 else ("down", f"▼ {MINUS}{text}")


def bounds(lower: Decimal | None, upper: Decimal | None) -> str:
    """An interval with its lower end in and its upper end out, in words."""
    if lower is None:
        return "all" if upper is None else f"below {number(upper)}"
    return f"{number(lower)} or more" if upper is None else f"{number(lower)} to below {number(upper)}"


def number(value: Decimal | None) -> str:
    """A policy number without the zeros of its column: ``0.800000`` is ``0.8``; nothing for an open bound."""
    if value is None:
        return ""
    text = f"{Decimal(value):,f}"
    return _signed(text.rstrip("0").rstrip(".") if "." in text else text)


def instant(value: datetime) -> str:
    """A moment in UTC, to the minute."""
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def behind(newest: date | None, as_of_date: date) -> str:
    if newest is None:
        return "never delivered"
    days = (as_of_date - newest).days
    return "up to date" if days <= 0 else f"{days:,} day{'' if days == 1 else 's'} behind"


def ramp(steps: int) -> list[str]:
    """``steps`` colours from dark (the highest) to light."""
    if steps < 2:
        return [_hex(RAMP[0])] * steps
    colours = []
    for step in range(steps):
        place = step * (len(RAMP) - 1) / (steps - 1)
        low = min(int(place), len(RAMP) - 2)
        pairs = zip(RAMP[low], RAMP[low + 1], strict=True)
        colours.append(_hex([round(a + (b - a) * (place - low)) for a, b in pairs]))
    return colours


def ink(colour: str) -> str:
    """The text colour that reads on a background."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return LIGHT_INK if 0.299 * red + 0.587 * green + 0.114 * blue < 140 else DARK_INK


def _hex(colour: Sequence[int]) -> str:
    return "#" + "".join(f"{part:02x}" for part in colour)


def _rounded(value: Decimal, step: str) -> Decimal:
    rounded = value.quantize(Decimal(step), rounding=ROUND_HALF_UP)
    return abs(rounded) if rounded == 0 else rounded


def _sign(value: Decimal) -> str:
    return MINUS if value < 0 else "+"


def _signed(text: str) -> str:
    return text.replace("-", MINUS)
