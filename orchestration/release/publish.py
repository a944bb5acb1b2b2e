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

from orchestration.extract.landing import file_sha256
from orchestration.release import catalogue
from orchestration.release.content_hash import content_hash
from orchestration.release.dictionary import Mart, comment_on, write_dictionary
from orchestration.release.manifest import canonical, decisions_of, files_of, made_from
from orchestration.release.publications import read_log, retired
from orchestration.release.report_queries import fetch
from orchestration.settings import Settings

if TYPE_CHECKING:
    from ml.learn import TrainedModel

PARQUET = "(format parquet, compression zstd)"
# What a decision is written from: of these every day of the run is judged, of the others what the release holds.
DECIDED_MARTS = ("customer_tiers", "tier_standings")
READ_ONLY, READ_ONLY_FOLDER = 0o444, 0o555

RESTATED = """
    select source_system, family, entity, delivery_date, count(*) as file_count, min(known_at) as first_known_at,
        max(known_at) as last_known_at
    from audit_inputs where duplicate_of is null
    group by source_system, family, entity, delivery_date having count(*) > 1
"""

# The decisions of so many days are gathered by one reading of the build, whose tables are in no order of days. Lists
# are sorted once they are whole, which takes a fifth of the time of gathering them in order.
DAYS_GATHERED = 16

DECISIONS = """
    select as_of_date, customer_id, score_tier, held_tier, decided_tier, tier, tier_score, lifecycle_stage,
        held_rank, last_earned_dates, last_kept_dates, factors, accounts, changes.main_cause,
        tiers.policy_version, model_version, known_at
    from tiering.customer_tiers as tiers
    inner join (
        select as_of_date, customer_id, held_rank,
            list_transform(tiers, lambda tier: tier.earned) as last_earned_dates,
            list_transform(tiers, lambda tier: tier.kept) as last_kept_dates
        from (
            select as_of_date, customer_id, min(tier_rank) filter (where is_held) as held_rank,
                list_sort(list({'rank': tier_rank, 'earned': last_earned_date, 'kept': last_kept_date})) as tiers
            from tiering.tier_standings where as_of_date between $first and $last group by all
        )
    ) using (as_of_date, customer_id)
    inner join (
        select as_of_date, customer_id, list_sort(list({'factor': factor, 'score': score, 'weight': weight,
            'contribution': contribution, 'is_dropped': is_dropped})) as factors
        from tiering.tier_explanations where as_of_date between $first and $last group by all
    ) using (as_of_date, customer_id)
    left join (
        select as_of_date, customer_id, list(distinct account_key order by account_key) as accounts
        from intermediate.int_customers__identity
        inner join (select as_of_date from run.run_dates where as_of_date between $first and $last) as dates
            on valid_from <= as_of_date and valid_to > as_of_date
        group by all
    ) using (as_of_date, customer_id)
    left join tiering.tier_changes as changes using (as_of_date, customer_id)
    where as_of_date between $first and $last
"""


@dataclass(frozen=True)
class ReleaseInputs:
    """What a release was made from: its dates, what was known, the rules and the code."""

    as_of_date: date
    known_at: datetime
    decided_dates: tuple[date, ...]
    policy_version: str
    model_version: str
    model: TrainedModel | None
    run_id: str


def export(
    settings: Settings, build: duckdb.DuckDBPyConnection, marts: Sequence[Mart], inputs: ReleaseInputs
) -> tuple[Path, dict[str, Any]]:
    """Write Parquet, serving database, dictionary and the manifest's facts into a folder no reader looks at."""
    for left_by_a_killed_run in settings.releases.glob(".incoming-*"):
        remove_folder(left_by_a_killed_run)
    incoming = settings.releases / f".incoming-{inputs.run_id}"
    incoming.mkdir(parents=True)
    described = {}
    for mart in marts:
        file = incoming / f"{mart.name}.parquet"
        order = ", ".join(mart.key) or "all"
        build.execute(f"copy ({mart.released_on(inputs.as_of_date)} order by {order}) to '{file}' {PARQUET}")
        row = build.execute(f"select count(*) from read_parquet('{file}')").fetchone()
        described[mart.name] = {
            "rows": row[0] if row else 0,
            "content_hash": content_hash(build, f"read_parquet('{file}')", mart.hashed_columns)
            if mart.is_hashed
            else None,
            "sha256": file_sha256(file),
        }
    _write_serving(incoming, marts, build)
    indicators = fetch(build, "select * from audit.indicator_dictionary order by is_private, indicator")
    write_dictionary(incoming / "data_dictionary.md", marts, indicators)
    if inputs.model:
        (incoming / "model.json").write_text(inputs.model.to_json(), encoding="utf-8")
    facts = {
        "as_of_date": inputs.as_of_date.isoformat(),
        "known_at": inputs.known_at.astimezone(UTC).isoformat(),
        "decided_dates": [day.isoformat() for day in inputs.decided_dates],
        "model_version": inputs.model_version,
        "run_id": inputs.run_id,
        "marts": described,
    } | made_from(settings, inputs.policy_version, inputs.model)
    return incoming, facts


def release_id(facts: dict[str, Any]) -> str:
    """The as-of date and eight digits of what the release says: dates, rules and the content hash of every mart."""
    hashes = {name: mart["content_hash"] for name, mart in facts["marts"].items()}
    said = {name: facts[name] for name in ("as_of_date", "known_at", "policy_version", "model_version")} | hashes
    return f"{facts['as_of_date']}-{hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:8]}"


def put_in_place(
    settings: Settings, incoming: Path, facts: dict[str, Any], build: duckdb.DuckDBPyConnection
) -> dict[str, Any]:
    """Seal the folder with its manifest, move it to its name, keep new models and comparisons, write the decisions,
    flip CURRENT: in that order. The manifest of the release.

    A folder of that name that was published says the same and stays; one that was not was left by a stopped run.
    """
    days = [date.fromisoformat(day) for day in facts["decided_dates"]]
    decided = write_incoming_decisions(settings, build, days)
    manifest = facts | {"files": files_of(incoming), "decisions": decisions_of(decided)}
    (incoming / catalogue.MANIFEST).write_text(canonical(manifest), encoding="utf-8")
    release = settings.releases / str(manifest["release_id"])
    events = read_log(settings)
    if release.name in {event.release_id for event in events} - retired(events):
        shutil.rmtree(incoming)
    else:
        for file in incoming.iterdir():
            with file.open("rb") as stream:
                os.fsync(stream.fileno())
            file.chmod(READ_ONLY)
        remove_folder(release)
        os.replace(incoming, release)
        release.chmod(READ_ONLY_FOLDER)
    from ml.store import COMPARISONS, write_model

    for version, document in build.execute("select model_version, document from ml.documents").fetchall():
        write_model(settings.models, version, document)
    compared = "select comparison_version, document from ml.comparisons where document is not null"
    for version, document in build.execute(compared).fetchall():
        write_model(settings.models / COMPARISONS, version, document)
    for day, file in decided.items():
        os.replace(file, settings.decisions / f"{day}.parquet")
    catalogue.flip(settings, release.name)
    return catalogue.read_release(release)


def remove_folder(folder: Path) -> None:
    """Remove a release folder, which may be read-only, if it is there."""
    if folder.exists():
        folder.chmod(0o755)
        shutil.rmtree(folder)


def write_incoming_decisions(
    settings: Settings, build: duckdb.DuckDBPyConnection, days: Sequence[date]
) -> dict[date, Path]:
    """Each day's file: the one in the ledger, which is never written again, or a new one beside its place.

    It holds tier and stage of life of every customer, how it stands towards each tier, and what its score is made of:
    what the next day goes on from and is compared with (see decision_history).
    """
    settings.decisions.mkdir(parents=True, exist_ok=True)
    files = {day: settings.decisions / f"{day}.parquet" for day in days}
    new = [day for day, file in files.items() if not file.exists()]
    for start in range(0, len(new), DAYS_GATHERED):
        some = new[start : start + DAYS_GATHERED]
        build.execute(f"create or replace temp table decided as {DECISIONS}", {"first": some[0], "last": some[-1]})
        for day in some:
            files[day] = files[day].with_name(f"{files[day].name}.incoming")
            rows = f"select * from decided where as_of_date = date '{day}' order by customer_id"
            build.execute(f"copy ({rows}) to '{files[day]}' {PARQUET}")
    build.execute("drop table if exists decided")
    return files


def _write_serving(folder: Path, marts: Sequence[Mart], build: duckdb.DuckDBPyConnection) -> None:
    """One self-contained database with the marts as tables, their descriptions as comments, a view per lens, and one of
    the deliveries that were sent again with other content."""
    build.execute(f"attach '{folder / catalogue.SERVING}' as serving")
    for mart in marts:
        build.execute(f"create table serving.{mart.name} as from read_parquet('{folder / mart.name}.parquet')")
        comment_on(build, "serving.main", mart)
    taken = {mart.name for mart in marts}
    for (lens,) in build.execute("select distinct lens from serving.lens_coverage order by lens").fetchall():
        if f"customer_{lens}" not in taken:
            build.execute(f"create view serving.customer_{lens} as select * from customer_bands where lens = '{lens}'")
    build.execute(f"create view serving.restated_deliveries as {RESTATED}")
    build.execute("detach serving")
