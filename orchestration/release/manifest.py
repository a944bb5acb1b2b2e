"""What a release says of itself: what it was made from and by, what it holds, and the release before it.

One JSON document in canonical form, so that equal content has equal bytes and one hash. The log of publications keeps
that hash; ``verify.py`` holds everything that is named here to it.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_quality.verdicts import Given
from orchestration.code_version import code_version, lock_sha256
from orchestration.extract.landing import file_sha256
from orchestration.policy import policy_sha256
from orchestration.release.publications import read_log
from orchestration.settings import Settings

if TYPE_CHECKING:
    from ml.learn import TrainedModel


def canonical(document: dict[str, Any]) -> str:
    """The text of a manifest: sorted names, two spaces, UTF-8, one newline at the end."""
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def made_from(settings: Settings, policy_version: str, model: TrainedModel | None) -> dict[str, Any]:
    """What a release is made from and by. The raw zone is told by the hash of its manifest up to now, which names every
    batch with the hashes of its files; the batches the release knew are in its ``audit_inputs``."""
    told = settings.manifest.read_bytes()
    sealed = told[: told.rfind(b"\n") + 1]
    events = read_log(settings)
    return {
        "raw": {
            "manifest_bytes": len(sealed),
            "manifest_sha256": hashlib.sha256(sealed).hexdigest(),
            "schemas": _hashes(settings.raw, sorted(settings.raw.glob("*/*/_schema.parquet"))),
        },
        "policy_version": policy_version,
        "policy_sha256": policy_sha256(settings.policy, policy_version),
        "model": _described(model) if model else None,
        "code_version": code_version(),
        "lock_sha256": lock_sha256(),
        "previous": {"release_id": events[-1].release_id, "manifest_sha256": events[-1].manifest_sha256}
        if events
        else None,
    }


def judged_by(given: Sequence[Given], log: Path) -> dict[str, Any]:
    """The verdicts that let the release out: how many of each status, and the hash of the log that holds them."""
    counts = Counter(entry.verdict.status for entry in given)
    return {"checks": len(given), "by_status": dict(counts), "log": log.name, "sha256": file_sha256(log)}


def files_of(folder: Path) -> dict[str, str]:
    """The sha256 of every file that a release folder holds, by name."""
    return _hashes(folder, sorted(folder.iterdir()))


def decisions_of(files: dict[date, Path]) -> dict[str, str]:
    """The sha256 of each decided day's file."""
    return {day.isoformat(): file_sha256(file) for day, file in files.items()}


def _hashes(folder: Path, files: Sequence[Path]) -> dict[str, str]:
    return {str(file.relative_to(folder)): file_sha256(file) for file in files}


def _described(model: TrainedModel) -> dict[str, Any]:
    """What a reader should know of a model before believing it; the whole of it is in ``model.json``."""
    return {
        "sha256": model.sha256,
        "trained_on": model.as_of_date.isoformat(),
        "known_at": model.known_at.astimezone(UTC).isoformat(),
        "cutoff_date": model.model.cutoff.isoformat(),
        "customers": model.model.customer_count,
        "rungs": [
            {"horizon_days": horizon, "rung": model.model.rung_of(horizon)} for horizon in model.model.params.horizons
        ],
        "reason": model.model.reason,
        "backtests": [
            {"horizon_days": test.horizon, "cutoff_date": test.cutoff.isoformat(), "figures": dict(test.figures)}
            for test in model.backtests
        ],
    }
