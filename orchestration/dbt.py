"""dbt inside this process: parse when the project has changed, build a selection, give back plain results.

One call costs about a second where the command line costs six. Everything that knows dbt's Python API is here.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from data_quality.verdicts import Verdict
from orchestration.errors import PlainError
from orchestration.settings import DBT_PROJECT, POLICY_SEEDS, Settings, export_environment

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

TARGET = DBT_PROJECT / "target"
MANIFEST = TARGET / "manifest.json"
FINGERPRINT = TARGET / "fingerprint"
PARSED = TARGET / "partial_parse.msgpack"

# The two halves of the project, and their selections; scores are made between them. Each selection ends in --exclude.
SECOND_HALF = ("tiering.staging.ml+", "tiering.marts.scoring+")
FOUNDATION = ("--exclude", *SECOND_HALF, "test_type:unit")
DECISIONS = ("--select", *SECOND_HALF, "--exclude", "test_type:unit")

# What a build file made from the same project holds already: definitions, no data. Their tests run all the same.
DEFINITIONS = ("tiering.staging,resource_type:model", "resource_type:seed")

STATUSES = {"pass": "pass", "warn": "warn", "fail": "fail", "error": "error"}


def is_definition(node: Mapping[str, Any]) -> bool:
    """Whether DEFINITIONS selects the manifest's node."""
    return bool(node["resource_type"] == "seed" or (node["resource_type"] == "model" and node["fqn"][1] == "staging"))


class DbtError(PlainError):
    """dbt could not parse or run the project at all."""


@dataclass(frozen=True)
class NodeResult:
    """What became of one model, seed or test. ``seconds`` is wall time; ``sql`` what was asked, of a seed nothing."""

    unique_id: str
    resource_type: str
    status: str
    seconds: float
    failures: int
    message: str
    sql: str


def manifest_path(settings: Settings) -> Path:
    """The parsed project's manifest, made anew when any file of the project or dbt itself has changed.

    One process parses, others that come meanwhile wait for it.
    """
    fingerprint = project_fingerprint()
    TARGET.mkdir(exist_ok=True)
    with (TARGET / "parsing.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        parsed = all(file.exists() for file in (MANIFEST, PARSED, FINGERPRINT))
        if not (parsed and FINGERPRINT.read_text() == fingerprint):
            FINGERPRINT.unlink(missing_ok=True)
            _invoke(settings, ["parse"])
            FINGERPRINT.write_text(fingerprint)
    return MANIFEST


@cache
def manifest_document(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def project_fingerprint() -> str:
    """Names, contents and dbt's versions. Not times: a fresh clone or a touched file parses to the same manifest."""
    digest = hashlib.sha256(f"{version('dbt-core')} {version('dbt-duckdb')}".encode())
    for path in sorted(DBT_PROJECT.rglob("*")):
        if path.suffix in (".sql", ".yml", ".csv", ".md") and TARGET not in path.parents:
            digest.update(str(path.relative_to(DBT_PROJECT)).encode() + path.read_bytes())
    return digest.hexdigest()


def build_fingerprint(settings: Settings) -> str:
    """What the build file's tables are made by: the project, and the rows of the policy in use, wherever they stand."""
    digest = hashlib.sha256(project_fingerprint().encode())
    for path in sorted(settings.policy.glob("*.csv")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def build(settings: Settings, selection: Sequence[str], command: str = "build") -> list[NodeResult]:
    """Run ``dbt build`` (or another command) on the selection; results in the order of execution, failures among them.

    Raises DbtError when dbt stopped before it ran anything.
    """
    manifest_path(settings)
    manifest = _parsed_manifest(FINGERPRINT.read_text())
    _take_seeds_from(settings.policy, manifest)
    from orchestration.dbt_overhead import spared

    arguments = [command, "--no-write-json", "--indirect-selection", "empty", *selection]
    with spared():
        results = _invoke(settings, arguments, manifest)
    return [
        NodeResult(
            unique_id=result.node.unique_id,
            resource_type=str(result.node.resource_type),
            status=str(result.status),
            seconds=float(result.execution_time),
            failures=int(result.failures or 0),
            message=str(result.message or ""),
            sql=str(getattr(result.node, "compiled_code", None) or ""),
        )
        for result in results
    ]


def promised_tests(manifest: dict[str, Any]) -> list[tuple[str, str]]:
    """(subject, test) of every data test that the two halves of the project run."""
    return [(_subject(node), node["name"]) for node in manifest["nodes"].values() if node["resource_type"] == "test"]


def compiled_models(settings: Settings) -> dict[str, str]:
    """The SQL of every model by unique id, as a build from nothing runs it: incremental models in their full form.

    Compiled against an empty build file, since another part of the process may have the real one open.
    """
    manifest_path(settings)
    manifest = _parsed_manifest(FINGERPRINT.read_text())
    with TemporaryDirectory() as folder:
        models = ["--select", "resource_type:model", "--indirect-selection", "empty"]
        try:
            compiled = _invoke(replace(settings, home=Path(folder)), ["compile", "--no-write-json", *models], manifest)
        finally:
            export_environment(settings)
    return {result.node.unique_id: str(result.node.compiled_code) for result in compiled}


def write_docs(settings: Settings, file: Path) -> None:
    """dbt's documentation of the project and of the build file's tables, as one page that asks no network.

    Raises DbtError when there is no build file to describe.
    """
    if not settings.warehouse.exists():
        raise DbtError(f"no {settings.warehouse} to describe; run `tiering run` first")
    manifest_path(settings)
    manifest = _parsed_manifest(FINGERPRINT.read_text())
    with TemporaryDirectory() as folder:
        tests = ["--exclude", "resource_type:test", "resource_type:unit_test"]
        _invoke(settings, ["docs", "generate", "--static", "--target-path", folder, *tests], manifest)
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path(folder) / "static_index.html", file)


def test_verdicts(results: Sequence[NodeResult], manifest: dict[str, Any]) -> list[Verdict]:
    """The data tests among the results as verdicts, each on the model or seed it was written for."""
    verdicts = []
    for result in results:
        node = manifest["nodes"].get(result.unique_id, {})
        if result.resource_type != "test" or result.status == "skipped":
            continue
        verdicts.append(
            Verdict(
                check_name=node["name"],
                subject=_subject(node),
                status=STATUSES.get(result.status, "error"),
                severity="error" if node["config"]["severity"].lower() == "error" else "warning",
                owner="dbt",
                observed=f"{result.failures} rows" if result.status != "error" else "the test could not run",
                expected="0 rows",
            )
        )
    return verdicts


def _subject(test: Mapping[str, Any]) -> str:
    """The model or seed that a test was written for."""
    subject = test.get("attached_node") or (test.get("depends_on", {}).get("nodes") or ["project"])[0]
    return str(subject).split(".")[-1]


def _invoke(settings: Settings, arguments: list[str], manifest: Manifest | None = None) -> list[Any]:
    from dbt.cli.main import dbtRunner

    export_environment(settings)
    settings.scratch.mkdir(parents=True, exist_ok=True)
    folders = ["--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)]
    # Logs cost 4 of a day's CPU seconds; what fails is in the results, with its message.
    quiet = ["--log-path", str(settings.scratch), "--log-level-file", "none", "--log-level", "none"]
    try:
        outcome = dbtRunner(manifest=manifest).invoke([*arguments, *folders, *quiet])
    finally:
        _close_connection()
    if outcome.exception is not None or outcome.result is None:
        raise DbtError(f"dbt: {arguments[0]} could not run: {outcome.exception}")
    return list(getattr(outcome.result, "results", []))


@cache
def _parsed_manifest(fingerprint: str) -> Manifest:
    """The manifest as dbt keeps it between runs, read once per process and state of the project."""
    del fingerprint  # the key of the cache
    from dbt.contracts.graph.manifest import Manifest

    manifest = Manifest.from_msgpack(PARSED.read_bytes())
    manifest.build_flat_graph()
    return manifest


def _take_seeds_from(folder: Path, manifest: Manifest) -> None:
    """Name the files of the policy in use; other seeds are the project's own.

    The manifest is shared by all homes of the process, so each build says it.

    Of a seed's file only the place is in the manifest: a home with a policy of its own needs no parse of its own. The
    path stays relative to its root, since dbt writes the statement it ran below target/ under the same path: an
    absolute one would have it written over the policy itself.
    """
    for node in manifest.nodes.values():
        if node.resource_type == "seed" and node.fqn[1] == POLICY_SEEDS.name:
            node.root_path = str(folder.parent)
            node.original_file_path = f"{folder.name}/{node.name}.csv"


def _close_connection() -> None:
    """dbt-duckdb keeps the build file open after a run, and DuckDB's lock is absolute."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    if DuckDBConnectionManager._ENV is not None:
        DuckDBConnectionManager._ENV.close()
        DuckDBConnectionManager._ENV = None
