"""Trained models and comparisons of methods as files, one JSON document each under the name of its version, and which
of them a day uses.

A file is written once and never again; its name holds the hash of its bytes. A model may speak for a day only when
the day that trained it is not later, nor what it knew.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TypeVar

from ml.comparison import Comparison
from ml.learn import VERSION_DIGITS, TrainedModel
from ml.params import Params

# What days have that were decided before there were models.
NO_MODEL = "none"
# The folder of comparisons, below that of the models.
COMPARISONS = "comparisons"

Stored = TypeVar("Stored")


class ModelStoreError(RuntimeError):
    """The store cannot give a model that is needed as it was written."""


@dataclass(frozen=True)
class PlannedModel:
    """Which model scores a day: a stored version, or the one in use since ``trained_on``, a day of the same run that
    trains one."""

    as_of_date: date
    version: str | None
    trained_on: date | None


def read_models(folder: Path) -> dict[str, TrainedModel]:
    """All models by version. Raises ModelStoreError for a file whose bytes are not those its name was given for."""
    return _read(folder, "model", TrainedModel.from_json)


def read_comparisons(folder: Path) -> dict[str, Comparison]:
    """All comparisons by version, below the folder of the models, but those of another form than this code writes.

    Raises ModelStoreError as ``read_models`` does.
    """
    found = _read(folder / COMPARISONS, "comparison", Comparison.from_json)
    return {version: comparison for version, comparison in found.items() if comparison is not None}


def _read(folder: Path, what: str, from_json: Callable[[str], Stored]) -> dict[str, Stored]:
    found = {}
    for file in sorted(folder.glob("*.json")):
        document = file.read_bytes()
        digest = hashlib.sha256(document).hexdigest()
        if not file.stem.endswith(f"-{digest[:VERSION_DIGITS]}"):
            raise ModelStoreError(
                f"models: {file} has the sha256 {digest}, expected that of its name; restore it from a backup"
            )
        try:
            found[file.stem] = from_json(document.decode())
        except (KeyError, TypeError, ValueError) as error:
            raise ModelStoreError(
                f"models: {file} is not a {what} this version of the code can read ({error}); go back to the code that "
                "wrote it"
            ) from error
    return found


def write_model(folder: Path, version: str, document: str) -> None:
    """Keep a model's document under its version; what is there already stays."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{version}.json"
    if not file.exists():
        incoming = file.with_suffix(".incoming")
        incoming.write_text(document, encoding="utf-8")
        os.replace(incoming, file)


def plan_models(
    days: Sequence[tuple[date, datetime]],
    stored: Mapping[str, TrainedModel],
    decided: Mapping[date, str],
    params: Params,
) -> list[PlannedModel]:
    """The model of each day, given as (as-of date, known at) in their order; ``decided``: versions of decided days.

    A day that is decided keeps its model. Any other takes what speaks since the newest that was trained and knows no
    more than the day does; where that is ``retrain_after_days`` old, or there is none, the day trains one, and what
    speaks since then later days may take in turn: a range comes out as its days would one by one. Raises
    ModelStoreError when the model of a day is not stored.
    """
    trained = _candidates(stored)
    planned = []
    for day, known_at in days:
        version = decided.get(day)
        if version is not None and version != NO_MODEL and version not in stored:
            raise _missing(version, f"decided {day}")
        if version is None:
            found = _newest(trained, day, known_at, params)
            if found is None:
                found = _Candidate(day, known_at, None)
                trained.append(found)
            if found.version and (speaker := stored[found.version].speaker) not in stored:
                raise _missing(speaker, f"speaks for {day}")
            speaks = stored[found.version].speaker if found.version else None
            planned.append(PlannedModel(day, speaks, None if speaks else found.as_of_date))
        else:
            planned.append(PlannedModel(day, version, None))
    return planned


def champion_before(stored: Mapping[str, TrainedModel], day: date, known_at: datetime) -> TrainedModel | None:
    """The model in use when a day trains one; None when none is. Raises ModelStoreError when it is not stored."""
    earlier = [one for one in _candidates(stored) if one.as_of_date < day and one.known_at <= known_at]
    if (newest := max(earlier, key=_order, default=None)) is None or newest.version is None:
        return None
    speaker = stored[newest.version].speaker
    if speaker not in stored:
        raise _missing(speaker, f"was in use before {day}")
    return stored[speaker]


def speakers(stored: Mapping[str, TrainedModel], days: Iterable[date], known_at: datetime) -> dict[date, TrainedModel]:
    """The model in use on each of these past days, of those that had one which is still stored."""
    found = {}
    for day in days:
        trained = [one for one in _candidates(stored) if one.as_of_date <= day and one.known_at <= known_at]
        newest = max(trained, key=_order, default=None)
        speaker = stored.get(stored[newest.version].speaker) if newest and newest.version else None
        if speaker is not None:
            found[day] = speaker
    return found


def newest_comparison(
    stored: Mapping[str, Comparison], day: date, known_at: datetime
) -> tuple[Comparison | None, bool]:
    """The newest comparison that knows no more than the day does, and whether the day's month has its own already: each
    month's first release makes one."""
    eligible = [one for one in stored.values() if one.as_of_date <= day and one.known_at <= known_at]
    newest = max(eligible, key=lambda one: (one.as_of_date, one.known_at, one.version), default=None)
    return newest, newest is not None and newest.as_of_date.replace(day=1) == day.replace(day=1)


@dataclass(frozen=True)
class _Candidate:
    as_of_date: date
    known_at: datetime
    version: str | None


def _candidates(stored: Mapping[str, TrainedModel]) -> list[_Candidate]:
    return [_Candidate(model.as_of_date, model.known_at, version) for version, model in stored.items()]


def _newest(trained: Iterable[_Candidate], day: date, known_at: datetime, params: Params) -> _Candidate | None:
    eligible = [
        one
        for one in trained
        if one.known_at <= known_at and 0 <= (day - one.as_of_date).days < params.retrain_after_days
    ]
    return max(eligible, key=_order, default=None)


def _order(one: _Candidate) -> tuple[date, datetime, str]:
    return one.as_of_date, one.known_at, one.version or ""


def _missing(version: str, what: str) -> ModelStoreError:
    return ModelStoreError(f"models: {version}.json is missing, which {what}; restore it from a backup of models/")
