"""What an installation needs to work, looked at one thing at a time, each with its mend."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.decision_history import decided_days
from orchestration.extract.duckdb_extensions import connect_with_excel
from orchestration.extract.manifest import ManifestError, read_manifest
from orchestration.extract.registry import SourcesError, load_registry
from orchestration.locking import Locked, writing
from orchestration.policy import PolicyError, check_policy
from orchestration.release.catalogue import NoRelease, current_release, decided_models
from orchestration.release.publications import LogError
from orchestration.settings import POLICY_SEEDS, Settings

FREE_BYTES = 2 * 1024**3


@dataclass(frozen=True)
class Finding:
    what: str
    found: str
    is_ok: bool
    mend: str = ""


def examine(settings: Settings) -> list[Finding]:
    """Every finding, good and bad, in the order in which a new user meets them."""
    return [
        _home(settings),
        _sources(settings),
        _excel(settings),
        _policy(settings),
        _manifest(settings),
        _models(settings),
        _lock(settings),
        _build(settings),
        _release(settings),
        _space(settings),
    ]


def _home(settings: Settings) -> Finding:
    ok = settings.home.is_dir()
    return Finding("home", str(settings.home), ok, "set TIERING_HOME to a folder that exists, or run `make run`")


def _sources(settings: Settings) -> Finding:
    try:
        registry = load_registry(settings.sources)
    except SourcesError as error:
        return Finding("sources.yml", str(error), False, "describe your extracts there; the demo's is an example")
    return Finding("sources.yml", f"{len(registry.feeds)} feeds from {registry.start_date}", True)


def _excel(settings: Settings) -> Finding:
    try:
        connect_with_excel(settings.home / "extensions").close()
    except (FileNotFoundError, duckdb.Error) as error:
        return Finding("workbooks", str(error), False, "install the versions of requirements.lock")
    return Finding("workbooks", f"DuckDB {duckdb.__version__} reads XLSX", True)


def _policy(settings: Settings) -> Finding:
    try:
        versions = ", ".join(policy.policy_version for policy in check_policy(settings))
    except PolicyError as error:
        return Finding("policy", str(error), False, f"make {settings.policy} as it says, after {POLICY_SEEDS}")
    except LogError as error:
        return Finding("policy", str(error), False, "what releases were decided under cannot be told without the log")
    found = f"versions {versions} of {settings.policy}"
    return Finding("policy", found, bool(versions), "add a version to policy_versions.csv")


def _manifest(settings: Settings) -> Finding:
    try:
        batches = read_manifest(settings.manifest)
    except ManifestError as error:
        return Finding("raw zone", str(error), False, "restore raw/manifest.jsonl from a backup")
    missing = [batch.raw_file for batch in batches if batch.raw_file and not (settings.raw / batch.raw_file).exists()]
    mend = f"restore {missing[0]} from a backup of raw/" if missing else ""
    return Finding("raw zone", f"{len(batches)} batches, {len(missing)} files missing", not missing, mend)


def _models(settings: Settings) -> Finding:
    from ml.store import NO_MODEL, ModelStoreError, read_models

    try:
        stored = read_models(settings.models)
    except ModelStoreError as error:
        return Finding("models", str(error), False, "restore it from a backup of models/")
    missing = sorted(set(decided_models(settings, decided_days(settings)).values()) - stored.keys() - {NO_MODEL})
    mend = f"restore {missing[0]}.json from a backup of models/" if missing else ""
    return Finding("models", f"{len(stored)} models, {len(missing)} that decided a day missing", not missing, mend)


def _lock(settings: Settings) -> Finding:
    try:
        with writing(settings):
            return Finding("write lock", "free", True)
    except Locked as error:
        return Finding("write lock", str(error), False, "wait, or look at that process")


def _build(settings: Settings) -> Finding:
    if not settings.warehouse.exists():
        return Finding("build file", "not there yet, the next run makes it", True)
    try:
        duckdb.connect(str(settings.warehouse), read_only=True).close()
    except duckdb.Error as error:
        mend = f"delete {settings.warehouse}; it is rebuilt from raw/ and decisions/"
        return Finding("build file", str(error).splitlines()[0], False, mend)
    return Finding("build file", "opens", True)


def _release(settings: Settings) -> Finding:
    try:
        release = current_release(settings)
    except NoRelease as error:
        return Finding("release", str(error), False, "tiering run")
    complete = (release / "manifest.json").exists()
    return Finding("release", release.name, complete, "CURRENT points to a folder that is not there: tiering run")


def _space(settings: Settings) -> Finding:
    place: Path = settings.home if settings.home.exists() else settings.home.parent
    free = shutil.disk_usage(place).free
    return Finding("disk", f"{free / 1024**3:.1f} GiB free", free >= FREE_BYTES, "make room: a run needs 2 GiB")
