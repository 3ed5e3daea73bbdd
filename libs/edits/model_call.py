"""What is sent to an image model, and what comes back."""

from msgspec import Struct

from libs.contracts.edits import Background, EditQuality, EditTokens
from libs.imaging.formats import FormatName


class InputFile(Struct, frozen=True):
    """A file to send."""

    filename: str
    content: bytes
    mime: str


class CallOptions(Struct, frozen=True, kw_only=True):
    """Options of a call; None leaves the choice to the model."""

    output_format: FormatName  # that serves best; the model may know others only

    n: int = 1
    size: str | None = None
    quality: EditQuality | None = None
    background: Background | None = None


class OutputImage(Struct, frozen=True):
    """One image of an answer: the bytes of a file, not decoded yet."""

    content: bytes
    revised_prompt: str | None = None


class ModelAnswer(Struct, frozen=True, kw_only=True):
    """The answer to a call; `images` holds at least one."""

    images: tuple[OutputImage, ...]
    model: str
    tokens: EditTokens
    request_id: str | None
