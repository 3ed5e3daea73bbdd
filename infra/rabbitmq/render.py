"""Put hashed passwords into RabbitMQ's definitions: none stands in the repository."""

import base64
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

DEFINITIONS = Path(__file__).with_name("definitions.json")
SALT_BYTES = 4


def users() -> list[str]:
    """The users that need a password."""
    return [user["name"] for user in _definitions()["users"]]


def render(passwords: Mapping[str, str]) -> str:
    """The definitions as a broker loads them.

    Args:
        passwords: That of every user, by name.

    Raises:
        KeyError: One is missing.
    """
    definitions = _definitions()
    for user in definitions["users"]:
        user["password_hash"] = hashed(passwords[user["name"]])
        user["hashing_algorithm"] = "rabbit_password_hashing_sha256"
    return json.dumps(definitions, indent=2) + "\n"


def hashed(password: str) -> str:
    """A salted hash, as RabbitMQ keeps it."""
    salt = os.urandom(SALT_BYTES)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def _definitions() -> dict[str, Any]:
    return json.loads(DEFINITIONS.read_text())
