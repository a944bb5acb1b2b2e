"""Promises of what a build is spared: no message is composed and nothing looked up again, and an error stays one."""

from __future__ import annotations

import inspect

import pytest
from dbt.contracts.project import Project
from dbt_common.behavior_flags import BehaviorFlag, BehaviorFlagRendered
from dbt_common.dataclass_schema import ValidationError
from dbt_common.events import types
from dbt_common.events.event_manager_client import get_event_manager
from dbt_common.events.functions import fire_event, warn_or_error
from dbt_common.exceptions.events import EventCompilationError

from orchestration.dbt_overhead import spared

FLAG = BehaviorFlag(name="a_flag", default=False, description="A flag of the tests.")  # type: ignore[typeddict-item]


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


def test_what_parsing_validates_is_not_validated_again() -> None:
    wrong = {"name": 7}
    with spared():
        Project.validate(wrong)
    with pytest.raises(ValidationError):
        Project.validate(wrong)
