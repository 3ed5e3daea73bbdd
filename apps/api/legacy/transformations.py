"""Transformations by their older names, and the operations that they stand for."""

from typing import Any, cast
from uuid import UUID

import msgspec
from msgspec import Struct

from apps.api.legacy.parameters import (
    TYPES,
    Box,
    Compression,
    FileType,
    Overlay,
    Rotation,
    Size,
    Transformations,
)
from libs.contracts.views.request_body import Operations
from libs.imaging.geometry import Position
from libs.imaging.operations import (
    AnyOperation,
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
    Watermark,
)


class Canvas(Struct, frozen=True, kw_only=True):
    """The image that a crop is cut from."""

    size: Size
    has_alpha: bool


def read_transformations(kind: str | None, parameters: Any) -> Transformations:  # noqa: ANN401 - JSON
    """Decode one transformation by its type, or several whose types are the names of the parameters.

    Raises:
        msgspec.ValidationError: A type or a parameter is unknown or missing.
    """
    named = cast("dict[str, Any]", parameters) if isinstance(parameters, dict) else {}
    if named and named.keys() <= TYPES and named.keys() != {kind}:
        return msgspec.convert(_with_our_positions(named), Transformations, strict=False)
    if kind not in TYPES:
        raise msgspec.ValidationError(f"`transformation_type` is one of {', '.join(sorted(TYPES))}")
    if named.keys() == {kind} and kind != "format":  # the type's name again, around its own parameters
        parameters = named[kind]
    if parameters is None and kind not in ("flip", "mirror"):
        raise msgspec.ValidationError(f"`{kind}` requires `transformation_parameters`")
    value = True if kind in ("flip", "mirror") else cast("Any", parameters)
    return msgspec.convert(_with_our_positions({kind: value}), Transformations, strict=False)


def as_operations(requested: Transformations, watermark_id: UUID | None, canvas: Canvas | None) -> Operations:
    """Translate transformations into operations, in the order of the older service.

    That service rotated counter-clockwise, its `flip` exchanged left and right, its `mirror` top and bottom,
    and its result was a PNG unless `format` or `compress` said otherwise.

    Args:
        requested: The transformations.
        watermark_id: The stored image of the watermark.
        canvas: The image that a crop is cut from; required if the crop may extend beyond the image.

    Raises:
        msgspec.ValidationError: The format is unknown, or a crop extends too far.
    """
    operations: list[AnyOperation] = []
    if requested.resize:
        operations.append(exact_size(requested.resize))
    if requested.crop:
        operations.extend(_crop(requested.crop, canvas))
    if requested.rotate is not None:
        rotate = requested.rotate
        degrees = rotate.degrees if isinstance(rotate, Rotation) else rotate
        operations.append(Rotate(angle=-degrees))
    if requested.watermark and watermark_id:
        operations.append(Watermark(image_id=watermark_id, position=_position(requested.watermark)))
    if requested.flip not in (None, False):
        operations.append(Mirror())
    if requested.mirror not in (None, False):
        operations.append(Flip())
    if requested.filters and requested.filters.grayscale:
        operations.append(Grayscale())
    if requested.filters and requested.filters.sepia:
        operations.append(Sepia())
    return (*operations, _output(requested))


def exact_size(size: Size) -> Resize:
    """Resize to exactly this size, enlarging if necessary."""
    return Resize(width=size.width, height=size.height, fit="fill", enlarge=True)


def file_type(name: str, quality: int | None = None) -> Convert:
    """Convert to a file type by its name.

    Raises:
        msgspec.ValidationError: The file type is unknown.
    """
    return msgspec.convert({"op": "convert", "format": name.lower(), "quality": quality}, Convert)


def _crop(box: Box, canvas: Canvas | None) -> tuple[AnyOperation, ...]:
    """Crop to the box. Beyond the image it is black, or transparent if the image has an alpha channel."""
    crop = Crop(x=max(0, box.x), y=max(0, box.y), width=box.width, height=box.height)
    if canvas is None or not (beyond := box.beyond(canvas.size)):
        return (crop,)
    colour = None if canvas.has_alpha else "black"
    return msgspec.convert({"op": "pad", **beyond, "color": colour}, Pad), crop


def _output(requested: Transformations) -> Convert:
    compress, format_ = requested.compress, requested.format
    quality = compress.quality if isinstance(compress, Compression) else compress
    name = format_.format if isinstance(format_, FileType) else format_
    return file_type(name or ("png" if quality is None else "jpeg"), quality)


def _position(overlay: Overlay) -> Position | Point:
    if isinstance(overlay.position, tuple):
        return msgspec.convert(dict(zip("xy", overlay.position, strict=True)), Point)
    return overlay.position


def _with_our_positions(parameters: dict[str, Any]) -> dict[str, Any]:
    """Spell a watermark's position with hyphens: `bottom_right` becomes `bottom-right`."""
    overlay: Any = parameters.get("watermark")
    if not isinstance(overlay, dict) or not isinstance(overlay.get("position"), str):  # pyright: ignore[reportUnknownMemberType]
        return parameters
    position = overlay["position"].lower().replace("_", "-").replace(" ", "-")  # pyright: ignore[reportUnknownVariableType]
    return {**parameters, "watermark": {**overlay, "position": position}}
