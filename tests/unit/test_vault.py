"""Promises of the vault: SQL's token is the RFC 2104 HMAC of the value, and the key is the owner's alone."""

from __future__ import annotations

import hashlib
import hmac
import stat
from dataclasses import replace

import duckdb
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestration.extract.vault import BLOCK_BYTES, KEY_FILE, Pseudonymiser, load_pseudonymiser
from orchestration.settings import Settings

KEYS = st.binary(min_size=1, max_size=3 * BLOCK_BYTES)
VALUES = st.text(st.characters(exclude_categories=["Cs"]))


@given(key=KEYS, value=VALUES)
@example(key=b"k" * BLOCK_BYTES, value="at the block")
@example(key=b"k" * (BLOCK_BYTES + 1), value="one more than the block")
@example(key=b"'); drop table t; --", value="it's")
def test_sql_gives_the_token_that_the_standard_library_gives(key: bytes, value: str) -> None:
    pseudonymiser = Pseudonymiser(key)
    digest = hmac.new(key, value.encode(), hashlib.sha256).hexdigest()
    with duckdb.connect() as connection:
        pseudonymiser.register(connection)
        found = connection.execute("select pseudonymise(?), pseudonymise(null)", [value]).fetchall()
    assert found == [(f"{pseudonymiser.key_id}:{digest[:32]}", None)]
    assert pseudonymiser.token(value) == found[0][0]


def test_another_key_gives_another_token_under_another_key_id() -> None:
    one, other = Pseudonymiser(b"one").token("Zhang"), Pseudonymiser(b"other").token("Zhang")
    assert one.split(":")[0] != other.split(":")[0]
    assert one.split(":")[1] != other.split(":")[1]


def test_the_key_is_in_no_text_that_the_database_shows() -> None:
    with duckdb.connect() as connection:
        Pseudonymiser(b"very secret key").register(connection)
        shown = str(connection.execute("select macro_definition from duckdb_functions() where not internal").fetchall())
    assert "pseudonymise" not in shown  # it shows the body …
    assert "very secret" not in shown
    assert b"very secret key".hex() not in shown.lower()


def test_the_key_file_is_made_once_and_only_its_owner_can_read_it(settings: Settings) -> None:
    without_key = replace(settings, pseudonym_key=None)
    first = load_pseudonymiser(without_key)
    file = settings.vault / KEY_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.vault.stat().st_mode) == 0o700
    written = file.read_bytes()
    assert load_pseudonymiser(without_key) == first
    assert file.read_bytes() == written
    assert first.key == written.strip()
    assert len(written.strip()) == 64


def test_every_installation_makes_a_key_of_its_own(settings: Settings) -> None:
    homes = [replace(settings, home=settings.home / name, pseudonym_key=None) for name in ("one", "two")]
    assert len({load_pseudonymiser(home).key for home in homes}) == 2


def test_a_key_from_the_environment_needs_no_file(settings: Settings) -> None:
    assert load_pseudonymiser(settings).key == str(settings.pseudonym_key).encode()
    assert not (settings.vault / KEY_FILE).exists()


@pytest.mark.parametrize("content", ["", "\n"])
def test_an_empty_key_file_is_refused(settings: Settings, content: str) -> None:
    """A crash between making and writing the file would else leave an installation whose tokens anyone can compute."""
    settings.vault.mkdir(parents=True)
    (settings.vault / KEY_FILE).write_text(content, encoding="ascii")
    with pytest.raises(Exception, match=KEY_FILE):
        load_pseudonymiser(replace(settings, pseudonym_key=None))
