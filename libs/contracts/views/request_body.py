"""The base of every JSON body, and the types of fields that several bodies share."""

from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

from libs.imaging.operations import AnyOperation

# A bare `$` would accept a line break at the end.
NO_CONTROLS = r"^[^\x00-\x1f\x7f]*$(?!\n)"
NoControls = Annotated[str, Meta(pattern=NO_CONTROLS, max_length=255)]
Filename = Annotated[str, Meta(min_length=1, max_length=255)]
ImageUrl = Annotated[str, Meta(min_length=1, description="http, https or data:")]
WebhookUrl = Annotated[
    str, Meta(min_length=1, description="http or https; receives a signed event when the job ends")
]
Operations: TypeAlias = tuple[AnyOperation, ...]
PresetName = Annotated[str, Meta(min_length=1, max_length=63, description="a preset of the account")]
PresetNames: TypeAlias = Annotated[tuple[PresetName, ...], Meta(max_length=20)]


class RequestBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A JSON body. An unknown field is refused by name."""
