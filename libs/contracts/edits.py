"""Edits: requests to a model that makes or changes images."""

from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from msgspec import Meta, Struct
from msgspec.structs import fields

from libs.imaging.formats import FORMATS, WrittenName

Prompt: TypeAlias = Annotated[
    str, Meta(min_length=1, max_length=32_000, pattern=r"\S", description="What to make or change")
]
EditSize: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^(auto|[1-9][0-9]{1,3}x[1-9][0-9]{1,3})$(?!\n)",
        description="`auto` or WIDTHxHEIGHT; the model decides which sizes it accepts",
    ),
]
EditQuality: TypeAlias = Literal["auto", "low", "medium", "high", "xhigh", "max"]
Background: TypeAlias = Literal["auto", "transparent", "opaque"]
EditsDialect: TypeAlias = Literal["openai", "vllm-omni", "sdcpp"]
ResultFormat: TypeAlias = Literal["jpeg", "jpg", "png", "webp", "avif", "jxl", "gif", "tiff", "bmp"]

MAX_IMAGES = 10


class EditOptions(Struct, frozen=True, kw_only=True):
    """The options of an edit."""

    mask: (
        Annotated[
            UUID, Meta(description="A stored image; the source is edited where the mask is transparent")
        ]
        | None
    ) = None
    """The id of a stored image; the source is edited where the mask is transparent."""
    size: EditSize | None = None
    """`auto` or WIDTHxHEIGHT; the model decides which sizes it accepts."""
    quality: EditQuality | None = None
    """How much effort the model makes."""
    n: Annotated[int, Meta(ge=1, le=MAX_IMAGES)] = 1
    """How many images the model makes."""
    output_format: ResultFormat | None = None
    """The format of the results; without it, the source's."""
    background: Background | None = None
    """The background that the model paints."""

    def __post_init__(self) -> None:
        if self.background == "transparent" and self.format and not FORMATS[self.format].alpha:
            raise ValueError(f"{self.format} does not support a transparent background")

    @property
    def format(self) -> WrittenName | None:
        """The requested format of the result."""
        return "jpeg" if self.output_format == "jpg" else self.output_format


class Edit(EditOptions, frozen=True, kw_only=True):
    """A request to a model for `n` images."""

    prompt: Prompt
    """What the model makes or changes."""


class EditFields(EditOptions, frozen=True, kw_only=True):
    """The edit fields of an upload; without a prompt, there is no edit."""

    prompt: Prompt | None = None
    """What the model makes or changes; without it, there is no edit."""

    def __post_init__(self) -> None:
        EditOptions.__post_init__(self)
        if self.prompt is None and any(
            getattr(self, option.name) != option.default for option in fields(EditOptions)
        ):
            raise ValueError("mask, size, quality, n, output_format and background require a prompt")


class EditTokens(Struct, frozen=True, kw_only=True):
    """The tokens of a call, as the vendor counts them; 0 where the vendor does not say."""

    input_tokens: int = 0
    """Tokens of the prompt and the source."""
    output_tokens: int = 0
    """Tokens of the results."""
    total_tokens: int = 0
    """All tokens."""


class EditNote(Struct, frozen=True, kw_only=True):
    """The origin of an image that a model made, stored with the image."""

    prompt: str
    """What the model was asked for."""
    model: str
    """The name of the model."""
    usage: EditTokens
    """The tokens of the whole call, which may have made several images."""
    request_id: str | None
    """The vendor's id of the call."""
    job_id: UUID
    """The job that made the call."""
    source: UUID | None
    """The image that was edited; null for one made from the prompt alone."""
    mask: UUID | None
    """The mask of the edit."""
    size: str | None
    """The requested size."""
    quality: str | None
    """The requested quality."""
    background: str | None
    """The requested background."""
    revised_prompt: str | None = None
    """The prompt as the model rewrote it."""
