"""Operations in the words of older clients, and what they are called here."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias, cast
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from libs.contracts.views.request_body import Operations
from libs.imaging.geometry import Position
from libs.imaging.limits import LONGEST_SIDE
from libs.imaging.operations import (
    AnyOperation,
    Blur,
    Compress,
    Convert,
    Crop,
    Flip,
    Grayscale,
    Mirror,
    Pad,
    Point,
    Resize,
    Rotate,
    Sepia,
    Sharpen,
    Watermark,
)
from libs.imaging.operations.operation import Pixels, Quality

Degrees: TypeAlias = Annotated[float, Meta(ge=-36_000, le=36_000)]
Offset: TypeAlias = Annotated[int, Meta(ge=-LONGEST_SIDE, le=LONGEST_SIDE)]
FormatWord: TypeAlias = Annotated[str, Meta(max_length=16)]


class Words(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Parameters; one that is not known is refused by name."""


class Size(Words, frozen=True, kw_only=True):
    """Exactly this, in pixels, whatever the shape was."""

    width: Pixels
    height: Pixels


class Box(Size, frozen=True, kw_only=True):
    """What a crop keeps; it may reach beyond the image."""

    x: Offset = 0
    y: Offset = 0

    def beyond(self, size: Size) -> dict[str, int]:
        """How far it reaches beyond an image of this size, by side, in pixels."""
        right, bottom = self.x + self.width, self.y + self.height
        sides = {"top": -self.y, "right": right - size.width, "bottom": bottom - size.height, "left": -self.x}
        return {side: pixels for side, pixels in sides.items() if pixels > 0}


class Turn(Words, frozen=True, kw_only=True):
    """Counter-clockwise."""

    degrees: Degrees


class Strength(Words, frozen=True, kw_only=True):
    """How much of the image is kept, from 1 to 100."""

    quality: Quality


class FileType(Words, frozen=True, kw_only=True):
    """What the result is written as."""

    format: FormatWord


class Filters(Words, frozen=True, kw_only=True):
    """Those that are true are run."""

    grayscale: bool = False
    sepia: bool = False


class Mark(Words, frozen=True, kw_only=True):
    """An image of one's own by its id, another by its URL, or an uploaded part by its name."""

    image: Annotated[str, Meta(min_length=1)] = "image"
    position: Position | tuple[int, int] | Point = "bottom-right"


class Transformations(Words, frozen=True, kw_only=True):
    """All that one request may ask for; null and false ask for nothing."""

    resize: Size | None = None
    crop: Box | None = None
    rotate: Degrees | Turn | None = None
    watermark: Mark | None = None
    flip: bool | dict[str, Any] | None = None
    mirror: bool | dict[str, Any] | None = None
    compress: Quality | Strength | None = None
    format: FormatWord | FileType | None = None
    filters: Filters | None = None


TYPES = frozenset(Transformations.__struct_fields__)


class Canvas(Struct, frozen=True, kw_only=True):
    """What a crop is cut from."""

    size: Size
    has_alpha: bool


class Step(Struct, frozen=True, kw_only=True, tag_field="operation_type"):
    """One operation of a list; its parameters stand apart from its name."""


class ResizeStep(Step, frozen=True, kw_only=True, tag="resize"):
    parameters: Size


class CompressStep(Step, frozen=True, kw_only=True, tag="compress"):
    parameters: Strength


class Filter(Words, frozen=True, kw_only=True):
    type: Literal["grayscale", "blur", "sharpen"]


class FilterStep(Step, frozen=True, kw_only=True, tag="filter"):
    parameters: Filter


class ConvertStep(Step, frozen=True, kw_only=True, tag="convert"):
    parameters: FileType


AnyStep: TypeAlias = ResizeStep | CompressStep | FilterStep | ConvertStep
_OPERATIONS = msgspec.json.Decoder(Operations)
FILTERS: Mapping[str, AnyOperation] = {"grayscale": Grayscale(), "blur": Blur(), "sharpen": Sharpen()}


def read_operations(text: str) -> Operations:
    """A form's operations: a list of ours, or of those that have an `operation_type`.

    Raises:
        msgspec.DecodeError: They are neither.
    """
    found: Any = msgspec.json.decode(text)
    if isinstance(found, list) and any(isinstance(one, dict) and "operation_type" in one for one in found):  # pyright: ignore[reportUnknownVariableType]
        return tuple(_of_step(step) for step in msgspec.convert(found, list[AnyStep], strict=False))
    return _OPERATIONS.decode(text)


def read_transformations(kind: str | None, parameters: Any) -> Transformations:  # noqa: ANN401 - JSON
    """What a request names by one type and its parameters, or by several types as names of the parameters.

    Raises:
        msgspec.ValidationError: It names something else.
    """
    named = cast("dict[str, Any]", parameters) if isinstance(parameters, dict) else {}
    if named and named.keys() <= TYPES and named.keys() != {kind}:
        return msgspec.convert(_spelled(named), Transformations, strict=False)
    if kind not in TYPES:
        raise msgspec.ValidationError(f"`transformation_type` is one of {', '.join(sorted(TYPES))}")
    if named.keys() == {kind} and kind != "format":  # the type once more, around its own parameters
        parameters = named[kind]
    if parameters is None and kind not in ("flip", "mirror"):
        raise msgspec.ValidationError(f"`{kind}` needs `transformation_parameters`")
    wanted = True if kind in ("flip", "mirror") else cast("Any", parameters)
    return msgspec.convert(_spelled({kind: wanted}), Transformations, strict=False)


def as_operations(wanted: Transformations, mark: UUID | None, canvas: Canvas | None) -> Operations:
    """The operations in the order of the older service.

    It turned counter-clockwise; `flip` exchanged left and right, `mirror` top and bottom; and the result was
    a PNG unless `format` or `compress` said otherwise.

    Args:
        wanted: What was asked for.
        mark: The watermark's image.
        canvas: What a crop is cut from; needed where it may reach beyond that.

    Raises:
        msgspec.ValidationError: There is no such format, or a crop reaches too far.
    """
    done: list[AnyOperation] = []
    if wanted.resize:
        done.append(_exact(wanted.resize))
    if wanted.crop:
        done.extend(_cropped(wanted.crop, canvas))
    if wanted.rotate is not None:
        degrees = wanted.rotate.degrees if isinstance(wanted.rotate, Turn) else wanted.rotate
        done.append(Rotate(angle=-degrees))
    if wanted.watermark and mark:
        done.append(Watermark(image_id=mark, position=_position(wanted.watermark)))
    if wanted.flip not in (None, False):
        done.append(Mirror())
    if wanted.mirror not in (None, False):
        done.append(Flip())
    if wanted.filters and wanted.filters.grayscale:
        done.append(Grayscale())
    if wanted.filters and wanted.filters.sepia:
        done.append(Sepia())
    return (*done, _written(wanted))


def _of_step(step: AnyStep) -> AnyOperation:
    match step:
        case ResizeStep():
            return _exact(step.parameters)
        case CompressStep():
            return Compress(quality=step.parameters.quality)
        case FilterStep():
            return FILTERS[step.parameters.type]
        case ConvertStep():
            return _convert(step.parameters.format)


def _exact(size: Size) -> Resize:
    return Resize(width=size.width, height=size.height, fit="fill", enlarge=True)


def _cropped(box: Box, canvas: Canvas | None) -> tuple[AnyOperation, ...]:
    """The box, with black where it reaches beyond the image, or with nothing where that may be clear."""
    crop = Crop(x=max(0, box.x), y=max(0, box.y), width=box.width, height=box.height)
    if canvas is None or not (beyond := box.beyond(canvas.size)):
        return (crop,)
    colour = None if canvas.has_alpha else "black"
    return msgspec.convert({"op": "pad", **beyond, "color": colour}, Pad), crop


def _written(wanted: Transformations) -> Convert:
    quality = wanted.compress.quality if isinstance(wanted.compress, Strength) else wanted.compress
    name = wanted.format.format if isinstance(wanted.format, FileType) else wanted.format
    return _convert(name or ("png" if quality is None else "jpeg"), quality)


def _convert(name: str, quality: int | None = None) -> Convert:
    return msgspec.convert({"op": "convert", "format": name.lower(), "quality": quality}, Convert)


def _position(mark: Mark) -> Position | Point:
    if isinstance(mark.position, tuple):
        return msgspec.convert(dict(zip("xy", mark.position, strict=True)), Point)
    return mark.position


def _spelled(parameters: dict[str, Any]) -> dict[str, Any]:
    """With the names of positions in our spelling: `bottom_right` is `bottom-right`."""
    mark: Any = parameters.get("watermark")
    if not isinstance(mark, dict) or not isinstance(mark.get("position"), str):  # pyright: ignore[reportUnknownMemberType]
        return parameters
    place = mark["position"].lower().replace("_", "-").replace(" ", "-")  # pyright: ignore[reportUnknownVariableType]
    return {**parameters, "watermark": {**mark, "position": place}}
