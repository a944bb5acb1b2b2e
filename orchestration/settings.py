"""Environment → one frozen Settings. The only module that reads ``os.environ``; nothing here opens a file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestration.errors import PlainError

PROJECT_ROOT = Path(__file__).resolve().parents[1]
DBT_PROJECT = PROJECT_ROOT / "dbt_project"
POLICY_SEEDS = DBT_PROJECT / "seeds" / "policy"

# Every environment by name, so that a misspelt one is an error and never a silent default.
THREADS = {"development": 2, "test": 2, "production": 4}
KNOWN_VARIABLES = {
    "TIERING_HOME",
    "TIERING_ENV",
    "TIERING_THREADS",
    "TIERING_MEMORY_LIMIT",
    "TIERING_PSEUDONYM_KEY",
    "TIERING_KEEP_DAYS",
    "TIERING_UNPACKED_MIB",
    "TIERING_UNPACKED_RATIO",
}


class SettingsError(PlainError):
    """The environment does not describe an installation."""


@dataclass(frozen=True)
class Settings:
    """Where an installation lives and how much of the machine it may use.

    ``memory_limit`` is DuckDB's text form (``4GB``); ``pseudonym_key`` is None when the key file of the home is used.
    ``keep_days``: for how long a release keeps its data after another has taken its place.
    ``unpacked_mib``, ``unpacked_ratio``: to how much, and to how many times its size, a packed file may unpack.
    ``may_pull`` is False for a scratch home, which knows what the real one knew.
    """

    home: Path
    environment: str = "development"
    threads: int = 2
    memory_limit: str = "4GB"
    pseudonym_key: str | None = None
    keep_days: int = 35
    unpacked_mib: int = 10_240
    unpacked_ratio: int = 200
    may_pull: bool = True

    @property
    def landing(self) -> Path:
        return self.home / "landing"

    @property
    def raw(self) -> Path:
        return self.home / "raw"

    @property
    def manifest(self) -> Path:
        return self.raw / "manifest.jsonl"

    @property
    def quarantine(self) -> Path:
        return self.home / "quarantine"

    @property
    def vault(self) -> Path:
        return self.home / "vault"

    @property
    def decisions(self) -> Path:
        return self.home / "decisions"

    @property
    def models(self) -> Path:
        return self.home / "models"

    @property
    def releases(self) -> Path:
        return self.home / "releases"

    @property
    def warehouse(self) -> Path:
        return self.home / "warehouse.duckdb"

    @property
    def sources(self) -> Path:
        return self.home / "sources.yml"

    @property
    def waivers(self) -> Path:
        return self.home / "waivers.csv"

    @property
    def own_policy(self) -> Path:
        return self.home / "policy"

    @property
    def policy(self) -> Path:
        """The folder whose rows grade: the home's own where there is one, whatever it holds, else the shipped one."""
        return self.own_policy if os.path.lexists(self.own_policy) else POLICY_SEEDS

    @property
    def scratch(self) -> Path:
        return self.home / "scratch"

    def verdict_log(self, run_id: str) -> Path:
        return self.home / "runs" / f"{run_id}.jsonl"

    @property
    def dagster_home(self) -> Path:
        return self.home / "dagster"


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from environment variables. Raises SettingsError on an unknown variable or environment."""
    env = os.environ if environ is None else environ
    unknown = sorted(name for name in env if name.startswith("TIERING_") and name not in KNOWN_VARIABLES)
    if unknown:
        raise SettingsError(f"settings: unknown variables {unknown}, expected some of {sorted(KNOWN_VARIABLES)}")
    environment = env.get("TIERING_ENV", "development")
    if environment not in THREADS:
        raise SettingsError(f"settings: TIERING_ENV is {environment!r}, expected one of {sorted(THREADS)}")
    return Settings(
        home=Path(env.get("TIERING_HOME", str(PROJECT_ROOT / "data"))).resolve(),
        environment=environment,
        threads=_count(env, "TIERING_THREADS", THREADS[environment]),
        memory_limit=env.get("TIERING_MEMORY_LIMIT", "4GB"),
        pseudonym_key=env.get("TIERING_PSEUDONYM_KEY"),
        keep_days=_count(env, "TIERING_KEEP_DAYS", Settings.keep_days),
        unpacked_mib=_count(env, "TIERING_UNPACKED_MIB", Settings.unpacked_mib),
        unpacked_ratio=_count(env, "TIERING_UNPACKED_RATIO", Settings.unpacked_ratio),
    )


def secret(name: str, environ: Mapping[str, str] | None = None) -> str:
    """The value of a variable that ``sources.yml`` names. Raises SettingsError when it is not set."""
    value = (os.environ if environ is None else environ).get(name)
    if not value:
        raise SettingsError(f"settings: {name} is not set, expected the URL of the database that sources.yml names")
    return value


def _count(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name, str(default))
    if not text.isdecimal() or int(text) < 1:
        raise SettingsError(f"settings: {name} is {text!r}, expected a whole number from 1")
    return int(text)


def export_environment(settings: Settings) -> None:
    """Make the settings visible to the tools that read the environment themselves: dbt and Dagster."""
    os.environ.update(
        TIERING_HOME=str(settings.home),
        TIERING_THREADS=str(settings.threads),
        TIERING_MEMORY_LIMIT=settings.memory_limit,
        DAGSTER_HOME=str(settings.dagster_home),
        DAGSTER_EVENT_BATCH_SIZE="1000",  # what a run plans is one batch, and stored in one transaction
        DO_NOT_TRACK="1",
        GX_ANALYTICS_ENABLED="false",
    )
