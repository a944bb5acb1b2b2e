"""Promises of what a build is spared: no message is composed and nothing looked up again, and an error stays one."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from dbt.clients.jinja import MacroStack
from dbt.context.macros import MacroNamespaceBuilder
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.project import Project
from dbt_common.behavior_flags import BehaviorFlag, BehaviorFlagRendered
from dbt_common.clients import jinja
from dbt_common.dataclass_schema import ValidationError
from dbt_common.events import types
from dbt_common.events.event_manager_client import get_event_manager
from dbt_common.events.functions import fire_event, warn_or_error
from dbt_common.exceptions.events import EventCompilationError

from orchestration import dbt
from orchestration.dbt_overhead import spared
from orchestration.settings import Settings

FLAG = BehaviorFlag(name="a_flag", default=False, description="A flag of the tests.")  # type: ignore[typeddict-item]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    dbt.manifest_path(Settings(home=tmp_path_factory.mktemp("home")))
    return Manifest.from_msgpack(dbt.PARSED.read_bytes())


class Note(types.Note):
    """One that nobody may ask what it says."""

    def message(self) -> str:
        raise AssertionError("composed")


def test_no_message_is_composed_within_and_each_one_outside() -> None:
    with spared():
        fire_event(Note(msg="unheard"))
    with pytest.raises(AssertionError, match="composed"):
        fire_event(Note(msg="heard"))


def test_a_warning_that_is_to_be_an_error_stays_one() -> None:
    with spared():
        get_event_manager().warn_error = True
        with pytest.raises(EventCompilationError, match="told"):
            warn_or_error(types.Note(msg="told"))


def test_the_call_stack_is_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    def searched() -> None:
        raise AssertionError("searched")

    monkeypatch.setattr(inspect, "stack", searched)
    with spared():
        assert not BehaviorFlagRendered(FLAG, {}).no_warn
    with pytest.raises(AssertionError, match="searched"):
        BehaviorFlagRendered(FLAG, {})


def test_a_node_sees_the_macros_that_it_sees_outside(project: Manifest) -> None:
    def seen(search_package: str) -> dict[str, str | dict[str, str]]:
        internal = ["duckdb", "dbt"]
        builder = MacroNamespaceBuilder("tiering", search_package, MacroStack(), internal, None)
        found = builder.build_namespace(project.get_macros_by_package(), {})
        assert len(found) == len(dict(found))
        by_package = {package: found.get_from_package(package, "run_query") for package in ("tiering", "dbt", None)}
        assert by_package["tiering"] is None
        assert by_package["dbt"] is by_package[None] is found["run_query"]
        return {
            name: {inner: macro.macro.unique_id for inner, macro in member.items()}
            if isinstance(member, dict)
            else member.macro.unique_id
            for name, member in found.items()
        }

    outside = [seen(package) for package in ("tiering", "dbt")]
    with spared():
        within = [seen(package) for package in ("tiering", "dbt")]
    assert within == outside
    assert within[0]["materialization_table_duckdb"] == "macro.tiering.materialization_table_duckdb"


def test_texts_share_a_template_engine_and_one_that_captures_macros_is_of_its_node() -> None:
    with spared():
        assert jinja.get_environment() is jinja.get_environment(None, False)
        assert jinja.get_environment(native=True) is jinja.get_environment(native=True) is not jinja.get_environment()
        assert jinja.get_environment(capture_macros=True) is not jinja.get_environment(capture_macros=True)
        template = jinja.get_template("{{ value }}", {"value": 7}, native=True)
        assert jinja.render_template(template, {}) == 7
    assert jinja.get_environment() is not jinja.get_environment()


def test_no_file_is_written_of_what_a_node_ran(project: Manifest, tmp_path: Path) -> None:
    node = project.nodes["model.tiering.customer_tiers"]
    with spared():
        node.write_node(str(tmp_path), "ran.sql", "select 1")
    assert not list(tmp_path.iterdir())
    node.write_node(str(tmp_path), "ran.sql", "select 1")
    assert list(tmp_path.iterdir()) == [tmp_path / "ran.sql"]


def test_what_parsing_validates_is_not_validated_again() -> None:
    wrong = {"name": 7}
    with spared():
        Project.validate(wrong)
    with pytest.raises(ValidationError):
        Project.validate(wrong)
