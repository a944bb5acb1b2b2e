"""From an audited build to a release that people read: export, describe, move into place, decide, flip the pointer.

Nothing a reader can see changes before the last step. A release is a function of what it holds: publishing the same
content again finds its folder in place and only flips the pointer.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from data_quality.verdicts import Verdict
from orchestration.extract.landing import file_sha256
from orchestration.release import catalogue
from orchestration.release.content_hash import content_hash
from orchestration.release.dictionary import Mart, comment_on, write_dictionary
from orchestration.settings import Settings

if TYPE_CHECKING:
    from ml.learn import TrainedModel

PARQUET = "(format parquet, compression zstd)"


class Refused(RuntimeError):
    """The release may not be published; the message says which checks stand in its way."""


@dataclass(frozen=True)
class ReleaseInputs:
    """What a release was made from: its dates, what was known, the rules and the code."""

    as_of_date: date
    known_at: datetime
    decided_dates: tuple[date, ...]
    policy_version: str
    model_version: str
    model: TrainedModel | None
    code_version: str
    batches: tuple[str, ...]
    run_id: str


def refuse_if_blocked(verdicts: Sequence[Verdict]) -> None:
    """Raise Refused when any verdict blocks, or when there is none at all."""
    blocking = [
        f"{verdict.subject}: {verdict.check_name} ({verdict.observed})" for verdict in verdicts if verdict.blocks
    ]
    if not verdicts:
        raise Refused("publish: no check has been done, expected the verdicts of this run")
    if blocking:
        raise Refused(f"publish: {len(blocking)} checks block the release: {'; '.join(blocking)}")


def export(
    settings: Settings, build: duckdb.DuckDBPyConnection, marts: Sequence[Mart], inputs: ReleaseInputs
) -> tuple[Path, dict[str, Any]]:
    """Write Parquet, serving database, dictionary and the manifest's facts into a folder no reader looks at."""
    for left_by_a_killed_run in settings.releases.glob(".incoming-*"):
        shutil.rmtree(left_by_a_killed_run)
    incoming = settings.releases / f".incoming-{inputs.run_id}"
    incoming.mkdir(parents=True)
    described = {}
    for mart in marts:
        file = incoming / f"{mart.name}.parquet"
        where = f"where as_of_date = date '{inputs.as_of_date}'" if mart.is_dated else ""
        order = ", ".join(mart.key) or "all"
        build.execute(f"copy (select * from {mart.schema}.{mart.name} {where} order by {order}) to '{file}' {PARQUET}")
        row = build.execute(f"select count(*) from read_parquet('{file}')").fetchone()
        described[mart.name] = {
            "rows": row[0] if row else 0,
            "content_hash": content_hash(build, f"read_parquet('{file}')", mart.hashed_columns)
            if mart.is_hashed
            else None,
            "sha256": file_sha256(file),
        }
    _write_serving(incoming, marts, build)
    write_dictionary(incoming / "data_dictionary.md", marts)
    if inputs.model:
        (incoming / "model.json").write_text(inputs.model.to_json(), encoding="utf-8")
    facts = {
        "as_of_date": inputs.as_of_date.isoformat(),
        "known_at": inputs.known_at.astimezone(UTC).isoformat(),
        "decided_dates": [day.isoformat() for day in inputs.decided_dates],
        "policy_version": inputs.policy_version,
        "model_version": inputs.model_version,
        "model": _described(inputs.model) if inputs.model else None,
        "code_version": inputs.code_version,
        "batches": list(inputs.batches),
        "marts": described,
    }
    return incoming, facts


def release_id(facts: dict[str, Any]) -> str:
    """The as-of date and eight digits of what the release says: dates, rules and the content hash of every mart."""
    hashes = {name: mart["content_hash"] for name, mart in facts["marts"].items()}
    said = {name: facts[name] for name in ("as_of_date", "known_at", "policy_version", "model_version")} | hashes
    return f"{facts['as_of_date']}-{hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:8]}"


def put_in_place(
    settings: Settings, incoming: Path, manifest: dict[str, Any], build: duckdb.DuckDBPyConnection
) -> Path:
    """Finish the folder, move it to its name, keep new models, write the decisions and flip CURRENT, in that order."""
    text = json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    (incoming / catalogue.MANIFEST).write_text(text, encoding="utf-8")
    release = settings.releases / str(manifest["release_id"])
    if release.exists():
        shutil.rmtree(incoming)
    else:
        for file in incoming.iterdir():
            with file.open("rb") as stream:
                os.fsync(stream.fileno())
            file.chmod(0o444)
        os.replace(incoming, release)
    from ml.store import write_model

    for version, document in build.execute("select model_version, document from ml.documents").fetchall():
        write_model(settings.models, version, document)
    write_decisions(settings, build, [date.fromisoformat(day) for day in manifest["decided_dates"]])
    catalogue.flip(settings, release.name)
    return release


def write_decisions(settings: Settings, build: duckdb.DuckDBPyConnection, days: Sequence[date]) -> None:
    """Tier and stage of life of every customer on each decided day, one file a day.

    A file that exists is never written again.
    """
    settings.decisions.mkdir(parents=True, exist_ok=True)
    for day in days:
        file = settings.decisions / f"{day}.parquet"
        if not file.exists():
            build.execute(
                f"""
                copy (
                    select as_of_date, customer_id, score_tier, tier, tier_score, lifecycle_stage, policy_version,
                        model_version, known_at
                    from tiering.customer_tiers where as_of_date = date '{day}' order by customer_id
                ) to '{file}.incoming' {PARQUET}
                """
            )
            os.replace(f"{file}.incoming", file)


def _described(model: TrainedModel) -> dict[str, Any]:
    """What a reader should know of a model before believing it; the whole of it is in ``model.json``."""
    return {
        "sha256": model.sha256,
        "trained_on": model.as_of_date.isoformat(),
        "known_at": model.known_at.astimezone(UTC).isoformat(),
        "cutoff_date": model.model.cutoff.isoformat(),
        "customers": model.model.customer_count,
        "rung": model.model.rung,
        "reason": model.model.reason,
        "backtests": [
            {"horizon_days": test.horizon, "cutoff_date": test.cutoff.isoformat(), "figures": dict(test.figures)}
            for test in model.backtests
        ],
    }


def _write_serving(folder: Path, marts: Sequence[Mart], build: duckdb.DuckDBPyConnection) -> None:
    """One self-contained database with the marts as tables, their descriptions as comments, and a view per lens."""
    build.execute(f"attach '{folder / catalogue.SERVING}' as serving")
    for mart in marts:
        build.execute(f"create table serving.{mart.name} as from read_parquet('{folder / mart.name}.parquet')")
        comment_on(build, "serving.main", mart)
    taken = {mart.name for mart in marts}
    for (lens,) in build.execute("select distinct lens from serving.customer_bands order by lens").fetchall():
        if f"customer_{lens}" not in taken:
            build.execute(f"create view serving.customer_{lens} as select * from customer_bands where lens = '{lens}'")
    build.execute("detach serving")
