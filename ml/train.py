"""Features of customers before a cut-off → one fitted base model. A pure function: same rows, same bytes.

What the model says of customers is score.py's; whether it is good enough is evaluate.py's. The rungs of the ladder:
``champion`` (challenge.py's, over a base), ``btyd`` (enough repeat purchases and a fit within its bounds),
``rfm_cells`` (means of recency x frequency cells), ``global_rate`` (one rate for all: not enough data), ``none`` (no
customers).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta

import pandas as pd

from ml.btyd import Btyd, GammaGamma, GammaGammaRefused, fit_gamma_gamma, log_likelihood
from ml.cells import Cell, learned_cells
from ml.champion import Champion, champion_of, mapping_of
from ml.features import CheckedFeatures, checked_features, refuse
from ml.params import CHAMPION, GRADE, Params, as_mapping, params_of

# Of the JSON document: one without has no champions, the one before knows no grades.
FORMAT, UNGRADED = 3, 2


@dataclass(frozen=True)
class BaseModel:
    """All that scoring needs, and why. ``reason`` says how the rung came about and which value model is used.

    ``purchase_rate``: repeat purchase days per customer and day; ``mean_day_amount``: net value of a purchase day;
    ``margin_rate``: margin per net value of known cost, None when no cost is known.
    ``champions``: one a horizon where the data carries one; None in a model of before there were any. ``withheld``: the
    horizons whose scores are not shown to be better than a simple rule; the cells speak for them.
    """

    name: str
    cutoff: date
    rung: str
    reason: str
    customer_count: int
    repeater_count: int
    purchase_rate: float
    mean_day_amount: float
    margin_rate: float | None
    btyd: Btyd | None
    log_likelihood: float | None
    gamma_gamma: GammaGamma | None
    cells: tuple[Cell, ...]
    params: Params
    champions: tuple[Champion, ...] | None = ()
    withheld: tuple[int, ...] = ()

    def to_json(self) -> str:
        """Canonical: keys sorted, floats in their shortest exact form, so that equal models have equal bytes."""
        content = asdict(self) | {"cutoff": self.cutoff.isoformat(), "params": as_mapping(self.params)}
        if self.champions is None:
            del content["champions"], content["params"][CHAMPION]
        else:
            content["format"] = UNGRADED if self.params.grade is None else FORMAT
            content["champions"] = [mapping_of(champion) for champion in self.champions]
        if self.params.grade is None:
            del content["params"][GRADE], content["withheld"]
        return json.dumps(content, sort_keys=True, allow_nan=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> BaseModel:
        """The model that ``to_json`` wrote. Raises KeyError, TypeError or ValueError for anything else."""
        content = json.loads(text)
        if (form := content.pop("format", None)) not in (None, UNGRADED, FORMAT):
            raise ValueError(f"format {form}, expected {FORMAT}, {UNGRADED} or none")
        if form != FORMAT:
            content["params"][GRADE] = None
        if form is None:  # of before there were champions: the same bytes again, and no champion
            content["champions"], content["params"][CHAMPION] = None, None
        else:
            content["champions"] = tuple(champion_of(champion) for champion in content["champions"])
        for name, kind in (("btyd", Btyd), ("gamma_gamma", GammaGamma)):
            if found := content[name]:
                content[name] = kind(**found | {"at_bound": tuple(found["at_bound"])})
        content["withheld"] = tuple(content.get("withheld", ()))
        content["cutoff"] = date.fromisoformat(content["cutoff"])
        content["cells"] = tuple(Cell(**cell) for cell in content["cells"])
        content["params"] = params_of(content["params"])
        return cls(**content)

    def champion_of(self, horizon: int) -> Champion | None:
        """The champion that scores a horizon; one that is withheld does not."""
        speaking = () if horizon in self.withheld else self.champions or ()
        return next((found for found in speaking if found.horizon == horizon), None)

    def base_rung_of(self, horizon: int) -> str:
        """The rung below the champion, or the cells in place of all that is withheld; one rate for all where only other
        horizons have a past to learn cells from."""
        if horizon in self.withheld:
            return "rfm_cells"
        lacks_cells = horizon in self.params.horizons and all(cell.horizon != horizon for cell in self.cells)
        return "global_rate" if self.rung == "rfm_cells" and lacks_cells else self.rung

    def rung_of(self, horizon: int) -> str:
        """The rung that scores of a horizon stand on."""
        return self.base_rung_of(horizon) if self.champion_of(horizon) is None else "champion"

    @property
    def version(self) -> str:
        """sha256 of the JSON."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


def fit(
    features: pd.DataFrame, cutoff: date, params: Params, past: Mapping[int, pd.DataFrame] | None = None
) -> BaseModel:
    """The base model of customers with a purchase before the cut-off, on the highest rung that the data carries.

    ``features``: customer_id, first_purchase_date, last_purchase_date, purchase_days (distinct days with a purchase),
    net_amount (lifetime), mean_day_amount (mean net value of a purchase day), margin_amount and costed_net_amount (of
    lines whose cost is known). ``past``: per horizon H the same columns as of cutoff - H; with ``features`` they give
    the label window [cutoff - H, cutoff) that cells are learned from. Raises FeaturesError, or LeakError for a purchase
    on or after a cut-off.
    """
    frame = checked_features(features, cutoff)
    history = frame.history
    days, costed = frame["purchase_days"].sum(), frame["costed_net_amount"].sum()
    rung = _rung(frame, cutoff, params, past or {})
    return BaseModel(
        name=params.model,
        cutoff=cutoff,
        customer_count=len(frame),
        repeater_count=_repeaters(frame),
        purchase_rate=float(history.repeats.sum() / history.age.sum()) if len(frame) else 0.0,
        mean_day_amount=float(frame["net_amount"].sum() / days) if days else 0.0,
        margin_rate=float(frame["margin_amount"].sum() / costed) if costed > 0 else None,
        log_likelihood=log_likelihood(rung.btyd, history) if rung.btyd else None,
        params=params,
        **vars(rung),
    )


@dataclass(frozen=True)
class _Rung:
    rung: str
    reason: str
    btyd: Btyd | None = None
    gamma_gamma: GammaGamma | None = None
    cells: tuple[Cell, ...] = ()


def _rung(frame: CheckedFeatures, cutoff: date, params: Params, past: Mapping[int, pd.DataFrame]) -> _Rung:
    """The highest rung of the ladder that the data carries."""
    customers, repeaters = len(frame), _repeaters(frame)
    if not customers:
        return _Rung("none", "no customers to learn from")
    if customers < params.min_customers:
        return _Rung("global_rate", f"not enough data: {customers} customers, expected {params.min_customers}")
    btyd, why = None, f"{repeaters} customers with a repeat purchase"
    if repeaters < params.base_min_repeaters:
        why += f", expected {params.base_min_repeaters}"
    else:
        btyd = frame.fitted(params.model)
        if not btyd.at_bound:
            gamma_gamma, value = _value_model(frame, params)
            return _Rung("btyd", f"{why}; {value}", btyd, gamma_gamma)
        why = f"{params.model} has {', '.join(btyd.at_bound)} at a bound"
    known = {horizon: len(past.get(horizon, ())) for horizon in params.horizons}
    taught = [horizon for horizon, count in known.items() if count >= params.min_customers]
    for horizon in (one for one in known if one not in taught):
        short = f"history is too short: {known[horizon]} customers {horizon} days before"
        why += f"; {short}, expected {params.min_customers}"
    if not taught:
        return _Rung("global_rate", why, btyd)
    cells = [cell for horizon in taught for cell in cells_of(frame, past[horizon], cutoff, horizon, params)]
    return _Rung("rfm_cells", why, btyd, cells=tuple(cells))


def _repeaters(frame: pd.DataFrame) -> int:
    return int((frame["purchase_days"] > 1).sum())


def _value_model(frame: pd.DataFrame, params: Params) -> tuple[GammaGamma | None, str]:
    """Gamma-Gamma, or none and why."""
    days, mean_amount = frame["purchase_days"].to_numpy(), frame["mean_day_amount"].to_numpy()
    try:
        return fit_gamma_gamma(days, mean_amount, params.correlation_limit), "value by Gamma-Gamma"
    except GammaGammaRefused as refused:
        return None, f"value by the customer's own mean, shrunk: {refused}"


def cells_of(frame: CheckedFeatures, past: pd.DataFrame, cutoff: date, horizon: int, params: Params) -> Iterator[Cell]:
    """The cells that [cutoff - horizon, cutoff) teaches."""
    start = cutoff - timedelta(days=horizon)
    before = checked_features(past, start)
    now = frame.by_customer.reindex(before["customer_id"])
    refuse(before, now["purchase_days"].isna().to_numpy(), f"were known on {start} but are not on {cutoff}")
    return learned_cells(before, now, cutoff, horizon, params)
