"""Promises of the panel: the day's own cut-off looks at everybody, earlier ones at no more than the parameters say."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from ml.learn import cutoffs
from ml.params import PARAMS, PanelParams, ParamsError, load_panel_params, load_params
from ml.store import PlannedModel
from orchestration.scoring import tell_models
from orchestration.warehouse_tables import RUN_TABLES


def test_only_the_cut_offs_before_the_days_own_are_limited() -> None:
    trains, params = date(2025, 12, 30), load_params()
    planned = [PlannedModel(trains, None, trains), PlannedModel(trains + timedelta(days=1), None, trains)]
    with duckdb.connect() as connection:
        connection.execute("create schema run")
        for name in ("run_dates", "run_cutoffs"):
            connection.execute(f"create table run.{name} ({RUN_TABLES[name]})")
        tell_models(connection, planned, params, PanelParams(max_customers=7))
        told = connection.execute("select cutoff_date, customer_limit from run.run_cutoffs").fetchall()
    own, *earlier = cutoffs(trains, params)
    assert sorted(told) == sorted([(own, None), *((cutoff, 7) for cutoff in earlier)])


def test_the_limit_is_a_parameter_and_a_mistake_in_it_is_named(tmp_path: Path) -> None:
    text, file = PARAMS.read_text(encoding="utf-8"), tmp_path / "p.yml"
    for old, new, message in (
        ("max_customers: 50000", "max_customers: 0", r"p\.yml: panel: max_customers is 0, expected a whole number"),
        ("\npanel:\n", "\nvalues:\n", r"p\.yml: panel: got NoneType, expected a mapping"),
    ):
        assert old in text
        file.write_text(text.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(ParamsError, match=message):
            load_panel_params(file)
