"""Tags of images: at most 20 of 50 characters, in lower case, so that `Sale` and `sale` are one tag."""

import unicodedata
from collections.abc import Sequence
from typing import Annotated, TypeAlias

from msgspec import Meta

from libs.contracts.decode_errors import convert_value

MAX_TAGS = 20
# Neither a comma nor a control character, and not blank. A bare `$` would accept a line break at the end.
TAG = r"^(?=.*\S)[^,\x00-\x1f\x7f]*$(?!\n)"
Tag = Annotated[str, Meta(min_length=1, max_length=50, pattern=TAG)]
Tags: TypeAlias = Annotated[tuple[Tag, ...], Meta(max_length=MAX_TAGS)]


def normalised(tags: Sequence[str] | None) -> tuple[str, ...] | None:
    """Return tags as they are stored: lower case, NFC, single spaces inside, each once in the given order."""
    if tags is None:
        return None
    return tuple(dict.fromkeys(unicodedata.normalize("NFC", " ".join(tag.split()).lower()) for tag in tags))


def from_text(text: str) -> tuple[str, ...]:
    """Read tags that are separated by commas; an empty text has none.

    Raises:
        msgspec.ValidationError: There are too many, or one is blank or too long.
    """
    given = [tag.strip() for tag in text.split(",")] if text.strip() else []
    return normalised(convert_value(given, Tags)) or ()
