"""What a provider of edits is."""

from typing import Protocol

from msgspec import Struct

from libs.contracts.edits import Background, EditQuality, EditTokens
from libs.imaging.edit_model_files import InputRequirements


class Picture(Struct, frozen=True):
    """A file as it is sent."""

    filename: str
    content: bytes
    mime: str


class Options(Struct, frozen=True, kw_only=True):
    """How a wish is to be met; None leaves it to the model."""

    n: int = 1
    size: str | None = None
    quality: EditQuality | None = None
    background: Background | None = None


class Made(Struct, frozen=True):
    """One image of an answer: the bytes of a file, not looked into yet."""

    content: bytes
    revised_prompt: str | None = None


class Answer(Struct, frozen=True, kw_only=True):
    """What a call gave; `images` are at least one."""

    images: tuple[Made, ...]
    model: str
    tokens: EditTokens
    request_id: str | None


class Provider(Protocol):
    """A door to models: makes images, each call at most once."""

    @property
    def demands(self) -> InputRequirements:
        """What the pictures must be like."""
        ...

    async def edit(
        self, source: Picture | None, mask: Picture | None, prompt: str, options: Options, *, reference: str
    ) -> Answer:
        """Change `source`, where `mask` is clear or anywhere; without a source, make images of the prompt.

        Args:
            source: As `demands` says.
            mask: A PNG of the source's size.
            prompt: What is wished.
            options: Those that the model does not know are left out.
            reference: Told to the vendor, to find the call again.

        Raises:
            EditError: See its subclasses; `not_run` tells whether the call may be made again.
        """
        ...
