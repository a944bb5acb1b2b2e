"""``params.yml`` as frozen values: all numbers that scores and comparisons depend on, none in the code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import yaml

from ml.btyd import FIRST_PURCHASE_CHANCES

Rule = tuple[str, Callable[[Any], bool]]
Part = TypeVar("Part")

PARAMS = Path(__file__).with_name("params.yml")
# The parts of the file that no model keeps.
NOT_KEPT = (METHODS, VALUE, PANEL, PROMOTION, DRIFT) = ("methods", "value", "panel", "promotion", "drift")
CHAMPION, GRADE = "champion", "grade"


class ParamsError(ValueError):
    """The parameters are incomplete or out of range."""


@dataclass(frozen=True)
class ChampionParams:
    """The part ``champion``; what each stands for is said in ``params.yml``."""

    min_repeaters: int
    max_cutoffs: int
    spacing_days: int
    long_horizon_days: int
    long_spacing_days: int
    first_cutoff_days: int
    shortest_label_share: float
    activity_penalty: int
    amount_penalty: float
    value_label_quantile: float
    season_history_days: int
    season_limit: int


@dataclass(frozen=True)
class GradeParams:
    """The part ``grade``; what each stands for is said in ``params.yml``."""

    cutoffs: int
    spacing_days: int
    min_cutoffs: int
    resamples: int
    interval: float
    seed: int
    max_customers: int
    rfm_quantiles: int
    ece_limit: float
    bias_limit: float
    auc_range_limit: float
    lifting_share: float


@dataclass(frozen=True)
class Params:
    """What each stands for is said in ``params.yml``. Models of before there were champions, or grades, have None."""

    model: str
    horizons: tuple[int, ...]
    retrain_after_days: int
    correlation_limit: float
    next_purchase_max_days: int
    base_min_repeaters: int
    min_customers: int
    cell_recency_days: tuple[int, ...]
    cell_purchase_days: tuple[int, ...]
    cell_shrinkage_customers: int
    value_shrinkage_days: int
    margin_shrinkage_days: int
    calibration_bins: int
    top_share: float
    champion: ChampionParams | None
    grade: GradeParams | None


@dataclass(frozen=True)
class Indicator:
    """A column of ``customer_indicators`` with its labels and ``unit`` (days, count, money, rate). Where it is null it
    counts as the ``unknown`` (highest, lowest) of those known, and a figure beside it, ``absent`` or ``present``, says
    so."""

    column: str
    en: str
    zh: str
    unit: str
    unknown: str
    absent_en: str
    absent_zh: str
    present_en: str
    present_zh: str


@dataclass(frozen=True)
class MethodsParams:
    """What the comparison of methods.py depends on; each is said in ``params.yml``."""

    indicators: tuple[Indicator, ...]
    seed: int
    min_customers: int
    max_customers: int
    min_tier_customers: int
    folds: int
    cluster_counts: tuple[int, ...]
    cluster_starts: int
    silhouette_customers: int
    keep_count_within: float
    match_distance: float
    tree_depth: int
    tree_leaf_share: float
    regression_strength: float
    regression_iterations: int
    coefficients_shown: int


@dataclass(frozen=True)
class ValueParams:
    """What the back-test of value.py depends on; each is said in ``params.yml``."""

    horizon_days: int
    before_days: int
    cutoffs: int
    spacing_days: int
    top_share: float
    quantiles: int
    groups: int


@dataclass(frozen=True)
class PanelParams:
    """Of whom a day learns; said in ``params.yml``."""

    max_customers: int


def load_params(path: Path = PARAMS) -> Params:
    """The parameters of a file. Raises ParamsError with the file's name, what was found and what was expected."""
    found = _read(path)
    if isinstance(found, Mapping):
        found = {name: value for name, value in found.items() if name not in NOT_KEPT}
    try:
        return params_of(found)
    except ParamsError as error:
        raise ParamsError(f"{path.name}: {error}") from error


def load_methods_params(path: Path = PARAMS) -> MethodsParams:
    """The part ``methods`` of a file. Raises ParamsError as ``load_params`` does."""
    found = _read(path)
    try:
        part = found.get(METHODS) if isinstance(found, Mapping) else None
        given = part.get("indicators") if isinstance(part, Mapping) else None
        indicators = tuple(Indicator(**_checked(Indicator, one)) for one in given) if isinstance(given, list) else ()
        values = _checked(MethodsParams, part)
    except ParamsError as error:
        raise ParamsError(f"{path.name}: {METHODS}: {error}") from error
    return MethodsParams(**values | {"indicators": indicators})


def load_value_params(path: Path = PARAMS) -> ValueParams:
    """The part ``value`` of a file. Raises ParamsError as ``load_params`` does."""
    return load_part(VALUE, ValueParams, path)


def load_panel_params(path: Path = PARAMS) -> PanelParams:
    """The part ``panel`` of a file. Raises ParamsError as ``load_params`` does."""
    return load_part(PANEL, PanelParams, path)


def load_part(name: str, kind: type[Part], path: Path = PARAMS) -> Part:
    """A part of a file that no model keeps. Raises ParamsError as ``load_params`` does."""
    found = _read(path)
    try:
        return kind(**_checked(kind, found.get(name) if isinstance(found, Mapping) else None))
    except ParamsError as error:
        raise ParamsError(f"{path.name}: {name}: {error}") from error


def params_of(found: Any) -> Params:
    """Checked parameters of a mapping, as read from YAML or JSON. Raises ParamsError."""
    values = _checked(Params, found)
    for name, kind in ((CHAMPION, ChampionParams), (GRADE, GradeParams)):
        try:
            values[name] = None if found[name] is None else kind(**_checked(kind, found[name]))
        except ParamsError as error:
            raise ParamsError(f"{name}: {error}") from error
    return Params(**values)


def as_mapping(params: Params) -> dict[str, Any]:
    """The parameters as ``params_of`` reads them."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(params).items()}


def _read(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    except (OSError, yaml.YAMLError) as error:
        raise ParamsError(f"{path.name}: cannot be read: {error}") from error


def _checked(kind: type, found: Any) -> dict[str, Any]:
    """The values of a mapping that has the fields of ``kind``, each as its name or type wants it."""
    if not isinstance(found, Mapping):
        raise ParamsError(f"got {type(found).__name__}, expected a mapping of parameters")
    names = {field.name: str(field.type) for field in fields(kind)}
    if found.keys() != names.keys():
        missing, unknown = sorted(names.keys() - found.keys()), sorted(found.keys() - names.keys())
        raise ParamsError(f"missing parameters {missing}, unknown parameters {unknown}")
    for name, type_of in names.items():
        expected, is_valid = BY_NAME.get(name) or KINDS[type_of]
        if not is_valid(found[name]):
            raise ParamsError(f"{name} is {found[name]!r}, expected {expected}")
    return {name: tuple(value) if isinstance(value, list) else value for name, value in found.items()}


def _one_of(*names: str) -> Rule:
    return f"one of {sorted(names)}", lambda value: value in list(names)


def _is_count(value: Any) -> bool:
    return type(value) is int and value > 0


def _is_rising(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_count, value)) and value == sorted(set(value))


BY_NAME: Mapping[str, Rule] = {
    "model": _one_of(*FIRST_PURCHASE_CHANCES),
    "unit": _one_of("days", "count", "money", "rate"),
    "unknown": _one_of("highest", "lowest"),
}
KINDS: Mapping[str, Rule] = {
    "int": ("a whole number above 0", _is_count),
    "float": ("a number between 0 and 1", lambda value: type(value) is float and 0 < value < 1),
    "str": ("a text", lambda value: isinstance(value, str) and bool(value)),
    "tuple[int, ...]": ("a rising list of whole numbers above 0", _is_rising),
    "ChampionParams | None": ("a mapping of parameters", lambda value: value is None or isinstance(value, Mapping)),
    "GradeParams | None": ("a mapping of parameters", lambda value: value is None or isinstance(value, Mapping)),
    "tuple[Indicator, ...]": ("a list of indicators", lambda value: isinstance(value, list) and bool(value)),
}
