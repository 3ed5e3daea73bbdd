"""What the description of an operation says that its handler does not: bodies, headers, errors."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from msgspec import Struct

JSON = "application/json"
FORM = "multipart/form-data"


class Media(Struct, frozen=True):
    """A body that no Struct describes."""

    media_type: str
    example: str | dict[str, str] | None = None  # a text, or some texts of a JSON object; None: bytes

    def schema(self) -> dict[str, Any]:
        """Return the schema of the body."""
        if isinstance(self.example, dict):
            return {"type": "object", "properties": {name: {"type": "string"} for name in self.example}}
        return {"type": "string", "format": "binary"} if self.example is None else {"type": "string"}


Body: TypeAlias = Any
"""A Struct, a list of them, several as a tuple, a Media, or None."""


class Form(Struct, frozen=True, kw_only=True):
    """A multipart form."""

    name: str
    """The name of its schema."""
    text: str
    fields: Mapping[str, Mapping[str, Any]]
    """Schemas by field."""
    required: tuple[str, ...] = ()


class Answer(Struct, frozen=True):
    """A success response."""

    text: str
    body: Body = None
    headers: tuple[str, ...] = ()


class Described(Struct, frozen=True, kw_only=True):
    """The description of one operation."""

    answers: Mapping[int, Answer]
    form: Form | None = None
    json: type[Struct] | None = None
    file: Media | None = None  # the body, if it is a file
    body_required: bool = True
    sends: tuple[str, ...] = ()
    """Request headers that the operation reads."""
    errors: tuple[type[Exception] | str, ...] = ()
    """Errors beyond those that the shape of the request implies; a class stands for its subclasses too."""
    example: Mapping[str, Any] | None = None
    """A JSON body; without it, the example of its type."""
