"""What may be asked of a model that makes or changes images."""

from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from msgspec import Meta, Struct
from msgspec.structs import fields

from libs.imaging.formats import FORMATS, FormatName

Prompt: TypeAlias = Annotated[
    str, Meta(min_length=1, max_length=32_000, pattern=r"\S", description="What to make, or to change")
]
EditSize: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^(auto|[1-9][0-9]{1,3}x[1-9][0-9]{1,3})$(?!\n)",
        description="`auto` or WIDTHxHEIGHT; which sizes there are is the model's business",
    ),
]
EditQuality: TypeAlias = Literal["auto", "low", "medium", "high", "xhigh", "max"]
Background: TypeAlias = Literal["auto", "transparent", "opaque"]
ResultFormat: TypeAlias = Literal["jpeg", "jpg", "png", "webp", "avif", "gif", "tiff", "bmp"]

MAX_IMAGES = 10


class EditOptions(Struct, frozen=True, kw_only=True):
    """How a wish is to be met."""

    mask: (
        Annotated[UUID, Meta(description="A stored image; where it is clear, the source is edited")] | None
    ) = None
    size: EditSize | None = None
    quality: EditQuality | None = None
    n: Annotated[int, Meta(ge=1, le=MAX_IMAGES)] = 1
    output_format: ResultFormat | None = None  # None: the source's own
    background: Background | None = None

    def __post_init__(self) -> None:
        if self.background == "transparent" and self.format and not FORMATS[self.format].alpha:
            raise ValueError(f"{self.format} has no transparent background")

    @property
    def format(self) -> FormatName | None:
        """The format of the result, where one was asked for."""
        return "jpeg" if self.output_format == "jpg" else self.output_format


class Edit(EditOptions, frozen=True, kw_only=True):
    """One wish to a model; it gives `n` images."""

    prompt: Prompt


class EditFields(EditOptions, frozen=True, kw_only=True):
    """What a request may say about an edit; without a prompt there is none."""

    prompt: Prompt | None = None

    def __post_init__(self) -> None:
        EditOptions.__post_init__(self)
        if self.prompt is None and any(
            getattr(self, option.name) != option.default for option in fields(EditOptions)
        ):
            raise ValueError("mask, size, quality, n, output_format and background need a prompt")


class EditTokens(Struct, frozen=True, kw_only=True):
    """What a call cost, as the vendor counts; 0 where it does not tell."""

    input_tokens: int = 0
    output_tokens: int = 0
    total_tokens: int = 0


class EditNote(Struct, frozen=True, kw_only=True):
    """Kept with every image that a model made: where it comes from."""

    prompt: str
    model: str
    usage: EditTokens  # of the whole call, which may have given several images
    request_id: str | None  # the vendor's
    job_id: UUID
    source: UUID | None
    mask: UUID | None
    size: str | None
    quality: str | None
    background: str | None
    revised_prompt: str | None = None
