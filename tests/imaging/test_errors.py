"""Errors keep their type, code, message and attributes when they travel between processes."""

import pickle
from collections.abc import Iterator

import pytest

from libs.imaging import errors
from libs.imaging.errors import ImagingError

EXAMPLES = [
    errors.EmptyFile(),
    errors.NotAnImage(),
    errors.FormatNotAccepted("SVG"),
    errors.ImageTruncated(),
    errors.UnreadableImage("its data is damaged"),
    errors.FeatureNotSupported("TIFF with 3 unsigned samples of 10 bits (RGB)"),
    errors.ImageTooLarge(400_000_000, 50_000_000),
    errors.SideTooLong(20_000, 16_384),
    errors.TooManyFrames(200),
    errors.TooManyScans(100),
    errors.FileTooLarge(2, 1),
    errors.TooMuchMetadata("text", 1),
    errors.FrameMissing(3, 2),
    errors.TargetUnreachable(100, 200),
    errors.AssetMissing("part:logo"),
    errors.AssetUnreadable("part:logo", "the file is empty"),
    errors.MaskWithoutHole(),
    errors.TextNotDrawable("\U0001f600"),
    errors.FontUnavailable("Corporate"),
    errors.CropOutside((1, 2, 3, 4), (2, 2)),
    errors.EncodingFailed("WEBP", "too big"),
    errors.ResultTooLarge("resize", "the image has too many pixels"),
    errors.OutOfMemory(),
    errors.ImagingError("plain"),
    errors.SourceFault("plain"),
    errors.OperationFault("plain"),
]


def _kinds(kind: type[ImagingError] = ImagingError) -> Iterator[type[ImagingError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)


def test_every_error_has_an_example_here() -> None:
    assert {type(example) for example in EXAMPLES} == set(_kinds())


def test_every_error_has_its_own_code_and_a_docstring() -> None:
    kinds = set(_kinds())
    assert len({kind.code for kind in kinds}) == len(kinds)
    assert all(kind.__doc__ for kind in kinds)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: error.code)
def test_every_error_survives_pickling(error: ImagingError) -> None:
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(copy) is type(error)
    assert (str(copy), copy.code, copy.args, vars(copy)) == (str(error), error.code, error.args, vars(error))


def test_an_error_is_permanent_or_refuses_the_request() -> None:
    refused = {kind.code for kind in _kinds() if kind.outcome == "refused"}
    assert refused == {
        "operation_fault",
        "crop_outside",
        "result_too_large",
        "frame_missing",
        "target_unreachable",
        "asset_missing",
        "mask_without_hole",
        "text_not_drawable",
        "font_unavailable",
    }
    assert {kind.outcome for kind in _kinds()} == {"permanent", "refused"}


def test_a_refused_format_is_named() -> None:
    assert "SVG" in str(errors.FormatNotAccepted("SVG"))
