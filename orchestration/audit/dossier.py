"""One document that says why a customer was in its tier on a day, and carries what it takes to check that alone.

``dossier`` gathers: the words, the recomputation, the rules, every source row with its file and line, the checks, the
hashes. ``page`` renders it as one HTML file without network or script, with the same document inside as JSON.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
from jinja2 import Template
from markupsafe import Markup

from orchestration.audit.provenance import RATES, Source, SourceRow, rows_of_accounts
from orchestration.audit.recompute import Recomputation, recompute
from orchestration.audit.rule_lines import Policy, read_policy
from orchestration.decision_history import last_decided
from orchestration.extract.landing import file_sha256
from orchestration.extract.manifest import Batch
from orchestration.policy import VERSIONS
from orchestration.release import report_format as fmt
from orchestration.release.catalogue import MANIFEST, read_release
from orchestration.release.explain import explain, in_words
from orchestration.release.report_queries import Row, fetch
from orchestration.settings import Settings

FILE_FACTS = (
    *("file", "sha256", "delivery_date", "mode", "extracted_at", "known_at", "landed_at", "records", "accepted"),
    *("duplicates", "quarantined", "filtered", "batch_id", "raw_file", "raw_sha256"),
)
RELEASE_FACTS = (
    *("release_id", "as_of_date", "known_at", "published_at", "policy_version", "model_version", "code_version"),
    "run_id",
)
LIMITS = (
    "That the delivered files told the truth: sha256 names their bytes, to be compared with the sender's copies.",
    "That the accounts are one customer: the rule that joined them is named, and the rows that declare it are here.",
    "What the model expects: its scores are taken as published, named by its hash; reproduce computes them again.",
    "Other customers' figures: ranks and shares count them as the release's own marts have them.",
    "Rows that a full file did not hold, and quarantined rows that name no record: nothing of them can be shown here.",
)


def dossier(settings: Settings, release: Path, customer: str, language: str) -> dict[str, Any]:
    """The document of a customer, by its id or an account's code, in a release.

    Raises UnknownCustomer, and PolicyError when the policy folder no longer states the release's version.
    """
    explanation = explain(release, customer)
    found = explanation.customer
    manifest = read_release(release)
    with duckdb.connect() as marts:
        marts.execute("set timezone = 'UTC'")
        order = {
            "policy_rules": "rule_kind, subject, rule_value desc, rule_name",
            "audit_checks": "status = 'pass', owner, subject, check_name, observed",
        }
        rules, checks = (
            fetch(marts, f"select * from read_parquet('{release}/{mart}.parquet') order by {columns}")
            for mart, columns in order.items()
        )
    policy = read_policy(settings.policy, manifest["policy_version"], rules)
    accounts = [(row["family"], row["source_system"], row["source_id"]) for row in explanation.accounts]
    source = rows_of_accounts(settings, datetime.fromisoformat(manifest["known_at"]), accounts)
    again = recompute(release, found["customer_id"], source, policy, _decided_before(settings, explanation.customer))
    rows = [row for row in source.rows if row.table != RATES] + list(again.rates)
    published = _marts(release, manifest)
    return {
        "document": "dossier of a customer's tier",
        "question": f"Why was customer {found['customer_id']} in tier {found['tier']} on {found['as_of_date']}?",
        "customer_id": found["customer_id"],
        "customer_name": found["customer_name"],
        "as_of_date": found["as_of_date"],
        "tier": found["tier"],
        "tier_label_en": found["tier_label_en"],
        "tier_label_zh": found["tier_label_zh"],
        "tier_score": found["tier_score"],
        "recomputed_tier": again.tier.value,
        "words": in_words(explanation, language),
        "score_reasons": list(explanation.score_reasons),
        "seals": [*_seals(settings, explanation.customer, policy, again, source), _seal_of_marts(published)],
        "steps": [asdict(step) for step in again.steps],
        "policy": policy.version | {"file": VERSIONS},
        "lenses": list(policy.lenses.values()),
        "rules": list(policy.rules),
        "accounts": list(explanation.accounts),
        "rows": _rows(rows, again),
        "rejected_rows": [asdict(row) for row in source.rejected],
        "rejected_rows_that_name_nobody": source.untold,
        "files": _files(source, rows),
        "checks": checks,
        "release": {name: manifest.get(name) for name in RELEASE_FACTS} | {"model": manifest.get("model")},
        "manifest_sha256": file_sha256(release / MANIFEST),
        "marts": published,
        "how_to_check": [
            "tiering audit verify",
            f"tiering reproduce {manifest['release_id']}",
            f"tiering audit export {found['customer_id']} --date {found['as_of_date']}",
        ],
        "not_proven": list(LIMITS),
    }


def page(document: dict[str, Any]) -> str:
    """The document as HTML; the same document for a program to read is in its ``script`` of type application/json."""
    tables: dict[str, list[Row]] = {}
    for row in document["rows"]:
        tables.setdefault(row["table"], []).append(row)
    columns = {
        table: [name for name in rows[0]["values"] if any(row["values"][name] is not None for row in rows)]
        for table, rows in tables.items()
    }
    # "<" in a text must not end the script that carries it.
    data = Markup(json.dumps(document, ensure_ascii=False, default=str).replace("<", "\\u003c"))
    return _template().render(document | {"tables": tables, "columns": columns, "data": data})


def _seals(settings: Settings, tier: Row, policy: Policy, again: Recomputation, source: Source) -> list[Row]:
    """What was verified while the document was made: (what, is_kept, found)."""
    unwritten = [rule for rule in policy.rules if not rule["is_as_written"]]
    decided = settings.decisions / f"{tier['as_of_date']}.parquet"
    with duckdb.connect() as ledger:
        query = "select tier from read_parquet($file) where customer_id = $customer_id"
        told = fetch(ledger, query, file=str(decided), customer_id=tier["customer_id"]) if decided.exists() else []
    return [
        _seal(
            "The tier computed again is the published one",
            again.tier.is_equal is not False and again.tier.published == tier["tier"],
            again.tier.value or again.tier.how,
        ),
        _seal(
            "Every step computed again equals what was published",
            not again.unequal,
            ", ".join(step.what for step in again.unequal)
            or f"{len(again.steps) - len(again.untested)} steps, {len(again.untested)} not computed again",
        ),
        _seal(
            "The ledger of decisions says the same tier",
            [row["tier"] for row in told] == [tier["tier"]],
            ", ".join(row["tier"] for row in told) or f"nothing in {decided.name}",
        ),
        _seal(
            "The raw files behind the rows hold the bytes that landed",
            not source.altered,
            ", ".join(source.altered) or f"{len(source.batches)} files",
        ),
        _seal(
            "The policy's files still state every rule of the release",
            not unwritten,
            ", ".join(f"{rule['subject']} {rule['rule_name']}" for rule in unwritten) or f"{len(policy.rules)} rules",
        ),
    ]


def _decided_before(settings: Settings, tier: Row) -> Row | None:
    """The customer's row in the last decision before; None without one, or where that is of older code."""
    last = last_decided(settings, tier["as_of_date"])
    with duckdb.connect() as ledger:
        query = "select * from read_parquet($file) where customer_id = $customer_id"
        told = fetch(ledger, query, file=str(last), customer_id=tier["customer_id"]) if last else []
    return next((row for row in told if "held_rank" in row), None)


def _seal_of_marts(marts: list[Row]) -> Row:
    altered = [mart["mart"] for mart in marts if not mart["is_as_published"]]
    what = "The marts of the release hold the bytes that were published"
    return _seal(what, not altered, ", ".join(altered) or f"{len(marts)} marts")


def _seal(what: str, is_kept: bool, found: str) -> Row:
    return {"what": what, "is_kept": is_kept, "found": found}


def _rows(rows: list[SourceRow], again: Recomputation) -> list[Row]:
    """The source rows, each with what it adds and from which day on."""
    adds: dict[int, list[Row]] = {}
    for entry in again.entries:
        days = {"from_date": entry.day, "window_date": entry.window_day}
        adds.setdefault(id(entry.row), []).append({"measure": entry.measure, "amount": entry.amount} | days)
    return [asdict(row) | {"adds": adds.get(id(row), [])} for row in rows]


def _files(source: Source, rows: list[SourceRow]) -> list[Row]:
    """The delivered files that the rows stand in."""
    shown = {row.batch_id for row in rows}

    def told(batch: Batch) -> Row:
        facts = {name: getattr(batch, name) for name in FILE_FACTS}
        return facts | {"is_as_landed": str(batch.raw_file) not in source.altered}

    return [told(batch) for batch in source.batches if batch.batch_id in shown]


def _marts(release: Path, manifest: Row) -> list[Row]:
    """Every mart of the manifest, and whether its file holds the bytes that were published."""
    return [
        {
            "mart": name,
            "rows": facts["rows"],
            "content_hash": facts["content_hash"],
            "sha256": facts["sha256"],
            "is_as_published": _sha256(release / f"{name}.parquet") == facts["sha256"],
        }
        for name, facts in sorted(manifest["marts"].items())
    ]


def _sha256(file: Path) -> str | None:
    return file_sha256(file) if file.exists() else None


@cache
def _template() -> Template:
    environment = fmt.page_templates(Path(__file__).parent)
    environment.filters["told"] = _told
    return environment.get_template("dossier.html.j2")


def _told(value: Any) -> str:
    """A value of any kind as the page writes it: all its digits, instants to the second in UTC."""
    if value is None or value == "":
        return fmt.NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return str(value)
