"""DuckDB connections that can read and write workbooks without a network.

DuckDB looks for an extension under ``<directory>/<version>/<platform>/``; the wheel keeps its file elsewhere, so a
symbolic link joins the two. Which SQL is run on the connection is decided by the callers.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import duckdb


def connect_with_excel(extension_directory: Path, path: str = ":memory:", **config: str) -> duckdb.DuckDBPyConnection:
    """A connection to ``path`` with the ``excel`` extension loaded; ``extension_directory`` is made when missing.

    ``config`` goes to DuckDB as it is. Raises FileNotFoundError where the installed wheel of the extension was
    built for another DuckDB than the one that runs.
    """
    _link_extension(extension_directory, "excel")
    settings: dict[str, str | bool | int | float | list[str]] = {
        **config,
        "extension_directory": str(extension_directory),
        "autoinstall_known_extensions": "false",
    }
    connection = duckdb.connect(path, config=settings)
    connection.execute("install excel; load excel")
    return connection


def _link_extension(directory: Path, name: str) -> None:
    version = f"v{duckdb.__version__}"
    shipped = Path(str(files(f"duckdb_extension_{name}"))) / "extensions" / version / f"{name}.duckdb_extension"
    if not shipped.is_file():
        raise FileNotFoundError(f"duckdb: extension {name!r} for {version} not found at {shipped}, expected its wheel")
    link = directory / version / _platform() / shipped.name
    if link.is_symlink() and link.resolve() == shipped.resolve():
        return
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(shipped)


def _platform() -> str:
    with duckdb.connect() as connection:
        row = connection.execute("pragma platform").fetchone()
    if row is None:
        raise RuntimeError("duckdb: no platform name")
    return str(row[0])
