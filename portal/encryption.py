"""Secrets at rest: Fernet under the keys of ENCRYPTION_KEYS, and model fields that are encrypted in the database."""

import base64
import hashlib
import json
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import FieldError
from django.db import models

SHORTEST_KEY = 32


class Locked(str):
    """A stored secret whose key is missing: it reads as empty, and saving it keeps what is stored."""

    token: str

    def __new__(cls, token: str) -> "Locked":
        locked = super().__new__(cls, "")
        locked.token = token
        return locked


class KeyMissing(Exception):
    """A stored secret was encrypted under a key that ENCRYPTION_KEYS no longer lists."""

    def __init__(self) -> None:
        super().__init__("a stored secret needs a key that is missing: add the former key to ENCRYPTION_KEYS")


@lru_cache(maxsize=4)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest())) for key in keys])


def encrypt(text: str) -> str:
    """Encrypted under the first key."""
    return _cipher(tuple(settings.ENCRYPTION_KEYS)).encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """The text again, under any of the keys. Raises KeyMissing."""
    try:
        return _cipher(tuple(settings.ENCRYPTION_KEYS)).decrypt(token.encode()).decode()
    except InvalidToken:
        raise KeyMissing from None


def unlocked(text: str) -> str:
    """A text read from the database. Raises KeyMissing where its key is."""
    if isinstance(text, Locked):
        raise KeyMissing
    return text


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Text that is readable in Python and encrypted in the database; it can be asked for NULL and nothing else."""

    def get_prep_value(self, value: Any) -> Any:
        if value is None:
            return None
        return value.token if isinstance(value, Locked) else encrypt(self.to_text(value))

    def from_db_value(self, value: str | None, expression: object, connection: object) -> Any:
        if value is None:
            return None
        try:
            return self.from_text(decrypt(value))
        except KeyMissing:
            # One secret without its key must not make a whole list unreadable.
            return Locked(value)

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            raise FieldError(f"{self.name} is encrypted and cannot be searched")
        return super().get_lookup(lookup_name)

    def to_text(self, value: Any) -> str:
        return str(value)

    def from_text(self, text: str) -> Any:
        return text


class EncryptedJSONField(EncryptedTextField):
    """The same for a value that JSON can hold."""

    def to_text(self, value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)

    def from_text(self, text: str) -> Any:
        return json.loads(text)
