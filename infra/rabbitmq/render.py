"""Add hashed passwords to RabbitMQ's definitions; the repository has none."""

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
    """Return the names of the users that need a password."""
    return [user["name"] for user in _definitions()["users"]]


def render(passwords: Mapping[str, str]) -> str:
    """Return the definitions as a broker loads them.

    Args:
        passwords: The password of every user, by name.

    Raises:
        KeyError: A user has no password.
    """
    definitions = _definitions()
    for user in definitions["users"]:
        user["password_hash"] = hashed(passwords[user["name"]])
        user["hashing_algorithm"] = "rabbit_password_hashing_sha256"
    return json.dumps(definitions, indent=2) + "\n"


def hashed(password: str) -> str:
    """Return a salted hash in RabbitMQ's format."""
    salt = os.urandom(SALT_BYTES)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def _definitions() -> dict[str, Any]:
    return json.loads(DEFINITIONS.read_text())
