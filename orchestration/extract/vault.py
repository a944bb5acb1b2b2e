"""Personal values leave the pipeline here: raw keeps a keyed token, the vault keeps the value beside it.

A token is the first 32 hex digits of HMAC-SHA256 (RFC 2104) of the value under the installation's key, with the
key's id before it, so that equal values stay joinable and a change of key is visible.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass

import duckdb

from orchestration.errors import PlainError
from orchestration.settings import Settings

KEY_FILE = "pseudonym.key"
TOKEN_HEX_DIGITS = 32
BLOCK_BYTES = 64  # of SHA-256
SHORTEST_KEY = 64


class VaultError(PlainError):
    """The key of the tokens cannot be used."""


@dataclass(frozen=True)
class Pseudonymiser:
    """Turns values into tokens under one key; ``key_id`` names the key without revealing it."""

    key: bytes

    @property
    def key_id(self) -> str:
        return hashlib.sha256(b"key id" + self.key).hexdigest()[:8]

    @property
    def sealing_key(self) -> bytes:
        """A key for seals, that of the tokens cannot be had from."""
        return hmac.new(self.key, b"seal", hashlib.sha256).digest()

    def token(self, value: str) -> str:
        digest = hmac.new(self.key, value.encode("utf-8"), hashlib.sha256).hexdigest()
        return f"{self.key_id}:{digest[:TOKEN_HEX_DIGITS]}"

    def register(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Make ``pseudonymise(text)`` available to SQL, equal to ``token``; null stays null.

        HMAC is SHA-256 twice over padded keys (RFC 2104 section 2), which SQL can say; a Python function called from
        SQL costs 17 ms a file. The pads are session variables, so that the key is in no statement's text.
        """
        key = (self.key if len(self.key) <= BLOCK_BYTES else hashlib.sha256(self.key).digest()).ljust(
            BLOCK_BYTES, b"\0"
        )
        connection.execute("set variable inner_pad = ?::blob", [bytes(byte ^ 0x36 for byte in key)])
        connection.execute("set variable outer_pad = ?::blob", [bytes(byte ^ 0x5C for byte in key)])
        connection.execute(
            f"""
            create or replace temp macro pseudonymise(value) as '{self.key_id}:' || left(
                sha256(getvariable('outer_pad') || unhex(sha256(getvariable('inner_pad') || encode(value)))),
                {TOKEN_HEX_DIGITS}
            )
            """
        )


def load_pseudonymiser(settings: Settings) -> Pseudonymiser:
    """The installation's key: from the environment, else from a file made on first use that only its owner can read."""
    settings.vault.mkdir(parents=True, exist_ok=True, mode=0o700)
    if settings.pseudonym_key:
        return Pseudonymiser(settings.pseudonym_key.encode())
    path = settings.vault / KEY_FILE
    if not path.exists():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
    key = path.read_text(encoding="ascii").strip()
    if len(key) < SHORTEST_KEY:
        raise VaultError(
            f"vault: {path} holds {len(key)} characters, expected {SHORTEST_KEY}; restore it from a backup"
        )
    return Pseudonymiser(key.encode())
