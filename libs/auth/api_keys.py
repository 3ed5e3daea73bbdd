"""API keys: `dk_<id>_<secret><checksum>`."""

from libs.auth.key_form import KeyForm, ParsedKey

FORM = KeyForm("dk_")
PREFIX = FORM.prefix


def new_key() -> ParsedKey:
    """Return a new random key."""
    return FORM.new()


def is_key(text: str) -> bool:
    """Return whether a credential claims to be an API key."""
    return FORM.is_claimed_by(text)


def parse_key(text: str) -> ParsedKey | None:
    """Return the parts of a key; None if its form or its checksum is wrong."""
    return FORM.parse(text)
