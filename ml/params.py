"""``params.yml`` as one frozen value. Every number the scores depend on stands there, none in the code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from ml.btyd import FIRST_PURCHASE_CHANCES

PARAMS = Path(__file__).with_name("params.yml")


class ParamsError(ValueError):
    """The parameters are incomplete or out of range."""


@dataclass(frozen=True)
class Params:
    """What each stands for is said in ``params.yml``."""

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


def load_params(path: Path = PARAMS) -> Params:
    """The parameters of a file. Raises ParamsError with the file's name, what was found and what was expected."""
    try:
        found = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    except (OSError, yaml.YAMLError) as error:
        raise ParamsError(f"{path.name}: cannot be read: {error}") from error
    try:
        return params_of(found)
    except ParamsError as error:
        raise ParamsError(f"{path.name}: {error}") from error


def params_of(found: Any) -> Params:
    """Checked parameters of a mapping, as read from YAML or JSON. Raises ParamsError."""
    if not isinstance(found, Mapping):
        raise ParamsError(f"got {type(found).__name__}, expected a mapping of parameters")
    names = {field.name: str(field.type) for field in fields(Params)}
    if found.keys() != names.keys():
        missing, unknown = sorted(names.keys() - found.keys()), sorted(found.keys() - names.keys())
        raise ParamsError(f"missing parameters {missing}, unknown parameters {unknown}")
    for name, kind in names.items():
        expected, is_valid = MODEL if name == "model" else KINDS[kind]
        if not is_valid(found[name]):
            raise ParamsError(f"{name} is {found[name]!r}, expected {expected}")
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in found.items()}
    return Params(**values)


def as_mapping(params: Params) -> dict[str, Any]:
    """The parameters as ``params_of`` reads them."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(params).items()}


def _is_count(value: Any) -> bool:
    return type(value) is int and value > 0


def _is_rising(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_count, value)) and value == sorted(set(value))


Rule = tuple[str, Callable[[Any], bool]]
MODEL: Rule = (f"one of {sorted(FIRST_PURCHASE_CHANCES)}", lambda value: value in list(FIRST_PURCHASE_CHANCES))
KINDS: Mapping[str, Rule] = {
    "int": ("a whole number above 0", _is_count),
    "float": ("a number between 0 and 1", lambda value: type(value) is float and 0 < value < 1),
    "tuple[int, ...]": ("a rising list of whole numbers above 0", _is_rising),
}
