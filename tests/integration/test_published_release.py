"""Promises of a published release: whole, described, provable, silent about persons, readable while others write."""

from __future__ import annotations

import html
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest
from installation import Published, copy_of, current, decisions, rows, tiering, writer

from orchestration import dbt
from orchestration.extract.landing import file_sha256
from orchestration.release.catalogue import read_release
from orchestration.release.content_hash import content_hash
from orchestration.release.dictionary import marts_of
from orchestration.release.publications import releases
from orchestration.settings import DBT_PROJECT

MARTS = sorted(file.stem for file in (DBT_PROJECT / "models" / "marts").rglob("*.sql"))
TOKEN = re.compile(r"[0-9a-f]{8}:[0-9a-f]{32}")
OWNERS = {"landing", "great_expectations", "dbt", "reconciliation", "waivers"}


@pytest.fixture(scope="module")
def copied(published_home: Published, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy for what may touch a home and must not change it."""
    return copy_of(published_home, tmp_path_factory.mktemp("copied"))


def manifest(release: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((release / "manifest.json").read_text(encoding="utf-8"))
    return document


def serving(release: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(release / "serving.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


def state(home: Path) -> dict[str, bytes | str]:
    """What readers and the next run rely on."""
    return decisions(home) | {"CURRENT": current(home).name, "manifest": (home / "raw" / "manifest.jsonl").read_bytes()}


def test_a_range_and_a_day_end_well_and_say_what_was_published(published_home: Published) -> None:
    assert published_home.backfill.returncode == 0, published_home.backfill.stderr
    assert published_home.run.returncode == 0, published_home.run.stderr
    assert published_home.release.name in published_home.run.stdout
    assert str(published_home.release / "report.html") in published_home.run.stdout


def test_current_points_to_the_last_day_and_earlier_releases_stay(published_home: Published) -> None:
    facts = manifest(published_home.release)
    assert facts["as_of_date"] == str(published_home.days[-1])
    assert published_home.release.name == facts["release_id"]
    published = releases(published_home.settings)
    assert [release.as_of_date for release in published] == list(published_home.days[2:])
    folders = [published_home.settings.releases / release.release_id for release in published]
    assert [read_release(folder)["decided_dates"] for folder in folders] == [
        [str(day) for day in published_home.days[:3]],
        [str(published_home.days[3])],
    ]


def test_a_release_holds_every_mart_and_its_companions_and_nothing_else(published_home: Published) -> None:
    companions = {"serving.duckdb", "manifest.json", "model.json", "report.html", "data_dictionary.md"}
    companions |= {"quality.html", "model_card.html", "lineage.json", "lineage.html"}
    assert {file.name for file in published_home.release.iterdir()} == companions | {
        f"{mart}.parquet" for mart in MARTS
    }
    tables = serving(published_home.release, "select table_name from duckdb_tables() order by 1")
    assert [name for (name,) in tables] == MARTS


def test_a_later_day_does_every_dbt_test_of_an_earlier_one(published_home: Published) -> None:
    """Its views and seeds stand already and are not made anew; what they promise is checked all the same."""
    done = [
        set(rows("select check_name from read_parquet(?) where owner = 'dbt'", str(folder / "audit_checks.parquet")))
        for folder in sorted(published_home.release.parent.glob("[0-9]*"))
    ]
    assert len(done) == 2
    assert done[0] == done[1]


def test_nobody_may_write_into_a_release(published_home: Published) -> None:
    assert [file.name for file in published_home.release.iterdir() if file.stat().st_mode & 0o222] == []


def test_the_manifest_agrees_with_the_files(published_home: Published) -> None:
    release = published_home.release
    told = manifest(release)["marts"]
    assert sorted(told) == MARTS
    known = {mart.name: mart for mart in marts_of(dbt.manifest_document(dbt.manifest_path(published_home.settings)))}
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        for name, facts in told.items():
            file = release / f"{name}.parquet"
            relation = f"read_parquet('{file}')"
            assert facts["sha256"] == file_sha256(file)
            assert facts["rows"] == connection.execute(f"select count(*) from {relation}").fetchall()[0][0]
            assert facts["rows"] == serving(release, f"select count(*) from {name}")[0][0]
            if not known[name].is_hashed:
                assert facts["content_hash"] is None
            else:
                assert facts["content_hash"] == content_hash(connection, relation, known[name].hashed_columns)


def test_every_table_and_column_of_the_serving_database_is_described(published_home: Published) -> None:
    tables = "select table_name from duckdb_tables() where coalesce(comment, '') = ''"
    columns = (
        "select table_name, column_name from duckdb_columns() where coalesce(comment, '') = '' "
        "and table_name in (select table_name from duckdb_tables())"
    )
    assert serving(published_home.release, tables) == []
    assert serving(published_home.release, columns) == []


def test_the_dictionary_has_every_mart_and_every_column(published_home: Published) -> None:
    text = (published_home.release / "data_dictionary.md").read_text(encoding="utf-8")
    columns = serving(
        published_home.release,
        "select table_name, list(column_name order by column_index) from duckdb_columns() "
        "where table_name in (select table_name from duckdb_tables()) group by 1",
    )
    sections = {part.split("\n", 1)[0]: part for part in text.split("\n## ")[1:]}
    named = {name: re.findall(r"^\| (\w+) \|", part, re.MULTILINE)[1:] for name, part in sections.items()}
    indicators = [name for (name,) in serving(published_home.release, "select indicator from indicator_dictionary")]
    assert sorted(named.pop("Indicators 指标")) == sorted(indicators)
    assert named == dict(columns)


def test_every_lens_has_a_view_or_a_mart_of_its_own_name(published_home: Published) -> None:
    lenses = [lens for (lens,) in serving(published_home.release, "select distinct lens from customer_bands")]
    assert len(lenses) > 2
    relations = {
        name for (name,) in serving(published_home.release, "select table_name from information_schema.tables")
    }
    assert {f"customer_{lens}" for lens in lenses} <= relations
    for lens in lenses:
        if f"customer_{lens}" not in MARTS:
            found = serving(published_home.release, f"select distinct lens from customer_{lens}")
            assert found == [(lens,)]


def test_every_customer_has_one_tier_on_the_day(published_home: Published) -> None:
    day = published_home.days[-1]
    tiers = serving(published_home.release, "select as_of_date, customer_id, tier from customer_tiers")
    assert {as_of for as_of, _, _ in tiers} == {day}
    assert all(tier for _, _, tier in tiers)
    customers = serving(published_home.release, "select customer_id from customer_360")
    assert sorted(customer for _, customer, _ in tiers) == sorted(customer for (customer,) in customers)
    assert len(set(customers)) == len(customers) == manifest(published_home.release)["customer_count"]


def test_there_is_one_decision_file_a_decided_day_and_it_says_what_was_published(published_home: Published) -> None:
    folder = published_home.home / "decisions"
    assert sorted(file.name for file in folder.iterdir()) == [f"{day}.parquet" for day in published_home.days]
    for day in published_home.days:
        found = rows("select distinct as_of_date from read_parquet(?)", str(folder / f"{day}.parquet"))
        assert found == [(day,)]
    columns = "customer_id, tier, lifecycle_stage"
    decided = rows(
        f"select {columns} from read_parquet(?) order by 1", str(folder / f"{published_home.days[-1]}.parquet")
    )
    assert decided == serving(published_home.release, f"select {columns} from customer_tiers order by 1")


def test_every_stage_follows_from_the_figures_and_the_policy(published_home: Published) -> None:
    """By another way of computing: Python's own decimals over the released indicators."""
    policy = dict(
        serving(published_home.release, "select rule_name, rule_value from policy_rules where rule_kind = 'parameter'")
    )

    def stage(tenure: int | None, recency: int, net: Decimal, earlier: Decimal) -> str:
        if tenure is None:
            return "prospect"
        if tenure < policy["lifecycle_new_days"]:
            return "introduction"
        if (
            recency >= policy["lifecycle_dormant_days"]
            or net < max(earlier, Decimal()) * policy["lifecycle_decline_ratio"]
        ):
            return "decline"
        grows = net >= earlier * policy["lifecycle_growth_ratio"] if earlier > 0 else net > 0
        return "growth" if grows else "maturity"

    figures = serving(
        published_home.release,
        "select customer_id, tenure_days, recency_days, net_amount_365d, net_amount_730d - net_amount_365d "
        "from customer_indicators",
    )
    told = dict(serving(published_home.release, "select customer_id, lifecycle_stage from customer_360"))
    assert told == {customer: stage(*of_customer) for customer, *of_customer in figures}
    assert set(told.values()) == {"prospect", "introduction", "growth", "maturity", "decline"}


def test_transitions_are_those_between_one_decision_file_and_the_next(published_home: Published) -> None:
    decided = [
        dict(rows("select customer_id, lifecycle_stage from read_parquet(?)", str(file)))
        for file in sorted((published_home.home / "decisions").iterdir())
    ]
    moved = Counter(
        (day, before[customer], stage)
        for day, before, after in zip(published_home.days[1:], decided, decided[1:], strict=False)
        for customer, stage in after.items()
        if before.get(customer, stage) != stage
    )
    assert moved
    columns = "movement_date, from_stage, to_stage, customer_count, is_expected"
    told = serving(published_home.release, f"select {columns} from lifecycle_transitions")
    assert {tuple(row[:3]): row[3] for row in told} == moved
    assert all(is_expected for *_, is_expected in told)


def test_a_transition_nobody_expects_is_a_warning_and_no_obstacle(published_home: Published, tmp_path: Path) -> None:
    """The last decision falsified: a prospect jumped into maturity, and the next day its orders seem to be gone."""
    home = copy_of(published_home, tmp_path)
    file = home / "decisions" / f"{published_home.days[-1]}.parquet"
    prospects = "select min(customer_id) from read_parquet(?) where lifecycle_stage = 'prospect'"
    (prospect,) = rows(prospects, str(file))[0]
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(f"create table decided as from read_parquet('{file}')")
        connection.execute("update decided set lifecycle_stage = 'maturity' where customer_id = ?", [prospect])
        connection.execute(f"copy decided to '{file}'")
    ran = tiering(home, "run", "--date", str(published_home.next_day))
    assert ran.returncode == 0, ran.stderr
    columns = "from_stage, to_stage, customer_count"
    found = serving(current(home), f"select {columns} from lifecycle_transitions where not is_expected order by 1")
    assert found == [("maturity", "prospect", 1), ("prospect", "maturity", 1)]
    check = "where check_name = 'assert_lifecycle_transitions_are_expected'"
    verdict = serving(current(home), f"select status, severity, observed from audit_checks {check}")
    assert verdict == [("warn", "warning", "1 rows")], "only the days of the run are warned of"


def test_every_owner_of_checks_has_spoken_and_nothing_failed(published_home: Published) -> None:
    found = serving(published_home.release, "select owner, status, count(*) from audit_checks group by all")
    assert {owner for owner, _, _ in found} == OWNERS
    assert {status for _, status, _ in found} <= {"pass", "warn"}
    assert serving(published_home.release, "select count(*) from audit_reconciliation where residual <> 0") == [(0,)]
    log = published_home.home / "runs" / f"{manifest(published_home.release)['run_id']}.jsonl"
    assert sum(count for _, _, count in found) == len(log.read_text(encoding="utf-8").splitlines())


@cache
def personal_values(home: Path) -> frozenset[str]:
    values = rows("select distinct value from read_parquet(?)", str(home / "vault" / "*" / "*" / "*.parquet"))
    return frozenset(value for (value,) in values)


def personal_in(text: str, home: Path) -> list[str]:
    return sorted(value for value in personal_values(home) if value in text)[:5] + TOKEN.findall(text)[:5]


@pytest.mark.parametrize("mart", MARTS)
def test_no_person_and_no_token_is_in_a_published_mart(published_home: Published, mart: str) -> None:
    assert len(personal_values(published_home.home)) > 100
    cells = rows("select columns(*)::varchar from read_parquet(?)", str(published_home.release / f"{mart}.parquet"))
    assert personal_in("\n".join(str(cell) for row in cells for cell in row), published_home.home) == []


@pytest.mark.parametrize("file", ["report.html", "quality.html", "manifest.json", "data_dictionary.md"])
def test_no_person_and_no_token_is_in_a_page(published_home: Published, file: str) -> None:
    text = (published_home.release / file).read_text(encoding="utf-8")
    assert personal_in(text + html.unescape(text), published_home.home) == []


def test_no_person_is_in_a_log_or_in_what_was_printed(published_home: Published) -> None:
    logs = [*(published_home.home / "runs").iterdir(), *(published_home.home / "logs").rglob("*.log")]
    told = [
        published_home.backfill.stdout,
        published_home.backfill.stderr,
        published_home.run.stdout,
        published_home.run.stderr,
    ]
    text = "\n".join([file.read_text(encoding="utf-8") for file in logs] + told)
    assert personal_in(text, published_home.home) == []


def test_a_build_made_anew_from_raw_and_decisions_is_the_same_release(
    published_home: Published, tmp_path: Path
) -> None:
    """The last day again, its build file deleted: the same id and content of every mart, no decision touched."""
    home = copy_of(published_home, tmp_path)
    before, hashes = state(home), manifest(current(home))["marts"]
    (home / "warehouse.duckdb").unlink()
    again = tiering(home, "run", "--date", str(published_home.days[-1]), "--json")
    assert again.returncode == 0, again.stderr
    assert state(home) == before
    told = json.loads(again.stdout)
    assert told["release_id"] == published_home.release.name
    made = duckdb.connect(str(home / "warehouse.duckdb"), read_only=True)
    with made:
        for mart in marts_of(dbt.manifest_document(dbt.manifest_path(published_home.settings))):
            if mart.is_hashed:
                made.execute("set timezone = 'UTC'")
                relation = f"({mart.released_on(published_home.days[-1])})"
                assert content_hash(made, relation, mart.hashed_columns) == hashes[mart.name]["content_hash"], mart.name
    assert len(releases(published_home.settings)) == 2
    assert [file.name for file in (home / "releases").iterdir() if file.name.startswith(".")] == []


def test_questions_are_answered_while_another_process_writes(copied: Path) -> None:
    with writer(copied):
        table = tiering(copied, "sql", "select count(*) as customers from customer_360")
        document = tiering(
            copied, "sql", "select tier, count(*) as n from customer_360 group by tier order by tier", "--json"
        )
        status = tiering(copied, "status", "--json")
    assert (table.returncode, document.returncode, status.returncode) == (0, 0, 0)
    assert str(manifest(current(copied))["customer_count"]) in table.stdout
    told = {row["tier"]: row["n"] for row in json.loads(document.stdout)}
    assert told == {tier["tier"]: tier["customers"] for tier in manifest(current(copied))["tiers"]}


@pytest.mark.parametrize(
    "statement",
    [
        "create table mine as select 1",
        "delete from customer_360",
        "attach '{home}/warehouse.duckdb' as build",
        "select * from read_parquet('{home}/vault/*/*/*.parquet')",
        "copy customer_360 to '{home}/stolen.parquet'",
        "set enable_external_access = true",
        "select no_such_column from customer_360",
        "",
    ],
)
def test_a_statement_that_does_more_than_read_the_release_is_a_usage_error(copied: Path, statement: str) -> None:
    before = state(copied)
    refused = tiering(copied, "sql", statement.format(home=copied))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "Traceback" not in refused.stderr
    assert refused.stderr.strip()
    assert state(copied) == before
    assert not (copied / "stolen.parquet").exists()


def test_status_tells_the_release_and_the_day_that_waits(published_home: Published) -> None:
    told = tiering(published_home.home, "status", "--json")
    assert told.returncode == 0, told.stderr
    facts = json.loads(told.stdout)
    assert facts["current_release"] == published_home.release.name
    assert len(facts["releases"]) == 2
    assert facts["newest_delivery"] == str(published_home.next_day)
    assert facts["undecided_days"] == [str(published_home.next_day)]
    assert facts["incomplete_days"] == {}


def test_path_is_the_folder_of_the_current_release(published_home: Published) -> None:
    told = tiering(published_home.home, "path")
    assert (told.returncode, told.stdout.strip()) == (0, str(published_home.release))


def test_a_dry_run_names_the_newest_complete_day_and_changes_nothing(published_home: Published) -> None:
    before = state(published_home.home)
    told = tiering(published_home.home, "run", "--dry-run")
    assert (told.returncode, str(published_home.next_day) in told.stdout) == (0, True)
    assert state(published_home.home) == before


def test_a_healthy_installation_has_nothing_to_mend(copied: Path) -> None:
    told = tiering(copied, "doctor", "--json")
    assert told.returncode == 0, told.stdout
    assert all(finding["is_ok"] for finding in json.loads(told.stdout))


def _lose_a_raw_file(home: Path) -> None:
    next((home / "raw" / "sales").rglob("delivery_date=*/*.parquet")).unlink()


def _break_the_build_file(home: Path) -> None:
    (home / "warehouse.duckdb").write_bytes(b"not a database" * 999)


def _break_the_manifest(home: Path) -> None:
    (home / "raw" / "manifest.jsonl").write_text("{}\n", encoding="utf-8")


def _lose_the_release(home: Path) -> None:
    shutil.rmtree(current(home))


def _break_the_sources(home: Path) -> None:
    (home / "sources.yml").write_text("sources: [\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("harm", "what"),
    [
        (_lose_a_raw_file, "raw zone"),
        (_break_the_build_file, "build file"),
        (_break_the_manifest, "raw zone"),
        (_lose_the_release, "release"),
        (_break_the_sources, "sources.yml"),
    ],
)
def test_the_doctor_finds_what_is_broken_and_says_how_to_mend_it(
    published_home: Published, tmp_path: Path, harm: Callable[[Path], None], what: str
) -> None:
    home = copy_of(published_home, tmp_path)
    harm(home)
    told = tiering(home, "doctor", "--json")
    assert told.returncode == 1, told.stderr
    (finding,) = (finding for finding in json.loads(told.stdout) if not finding["is_ok"])
    assert (finding["what"], bool(finding["mend"])) == (what, True)


def test_a_release_that_a_killed_run_left_half_way_is_no_release(published_home: Published, tmp_path: Path) -> None:
    """Killed after the manifest was written and before the folder was moved: the next run must not count it."""
    home = copy_of(published_home, tmp_path)
    shutil.copytree(current(home), home / "releases" / ".incoming-killed")
    listed = [release.release_id for release in releases(published_home.settings)]
    told = tiering(home, "status", "--json")
    assert json.loads(told.stdout)["releases"] == listed


def test_a_day_that_cannot_be_decided_is_told_in_plain_words(published_home: Published, tmp_path: Path) -> None:
    home = copy_of(published_home, tmp_path)
    before = state(home)
    for day, word in (("2025-12-01", "2025-12-27"), ("2026-01-09", "2026-01-0")):
        refused = tiering(home, "run", "--date", day)
        assert refused.returncode in (1, 2), (day, refused.stderr)
        assert word in refused.stderr
        assert "Traceback" not in refused.stderr
        assert "CheckError" not in refused.stderr
        assert state(home) == before


def test_days_missed_before_a_day_are_decided_first(published_home: Published, tmp_path: Path) -> None:
    home = copy_of(published_home, tmp_path)
    missed = published_home.days[-1]
    before = decisions(home)
    (home / "decisions" / f"{missed}.parquet").unlink()
    ran = tiering(home, "run", "--date", str(published_home.next_day), "--json")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["as_of_date"] == str(published_home.next_day)
    assert {**decisions(home), f"{published_home.next_day}.parquet": b""} == {
        **before,
        f"{published_home.next_day}.parquet": b"",
    }
    assert sorted(decisions(home))[-1] == f"{published_home.next_day}.parquet"
