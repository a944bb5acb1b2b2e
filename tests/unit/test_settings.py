"""Promises of settings: a misspelt variable or environment is an error, never a silent default."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.settings import KNOWN_VARIABLES, PROJECT_ROOT, THREADS, Settings, SettingsError, load_settings


def test_an_empty_environment_is_the_development_home_in_the_project() -> None:
    assert load_settings({}) == Settings(home=PROJECT_ROOT / "data", environment="development", threads=2)


def test_every_known_variable_arrives(tmp_path: Path) -> None:
    given = {
        "TIERING_HOME": str(tmp_path),
        "TIERING_ENV": "production",
        "TIERING_THREADS": "7",
        "TIERING_MEMORY_LIMIT": "9GB",
        "TIERING_PSEUDONYM_KEY": "secret",
        "TIERING_KEEP_DAYS": "90",
        "TIERING_UNPACKED_MIB": "7000",
        "TIERING_UNPACKED_RATIO": "50",
    }
    assert set(given) == KNOWN_VARIABLES
    assert load_settings(given) == Settings(tmp_path, "production", 7, "9GB", "secret", 90, 7000, 50)


@pytest.mark.parametrize("environment", sorted(THREADS))
def test_every_environment_has_its_own_number_of_threads(environment: str) -> None:
    assert load_settings({"TIERING_ENV": environment}).threads == THREADS[environment]


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"TIERING_HOEM": "/x"}, r"unknown variables \['TIERING_HOEM'\], expected some of .*TIERING_HOME"),
        ({"TIERING_PROVE": "1"}, r"unknown variables \['TIERING_PROVE'\]"),
        ({"TIERING_ENV": "prod"}, r"TIERING_ENV is 'prod', expected one of .*production"),
        ({"TIERING_ENV": ""}, r"TIERING_ENV is '', expected one of"),
        *(
            ({"TIERING_THREADS": bad}, f"TIERING_THREADS is '{bad}', expected a whole number")
            for bad in ("0", "-1", "two", "1.5", "", "²")
        ),
    ],
)
def test_what_is_not_understood_is_refused_with_what_was_expected(environ: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        load_settings(environ)


def test_a_relative_home_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings({"TIERING_HOME": "here"}).home == tmp_path / "here"


def test_everything_a_run_writes_is_below_the_home(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    names = ("landing", "raw", "manifest", "quarantine", "vault", "decisions", "releases", "warehouse", "sources")
    places = [getattr(settings, name) for name in (*names, "scratch", "dagster_home")] + [settings.verdict_log("run")]
    assert all(place.is_relative_to(tmp_path) for place in places)
    assert len(set(places)) == len(places)
