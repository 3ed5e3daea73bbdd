"""The form of a pipeline: `original_image`, and `operations` in which each has an `operation_type`."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from apps.api.legacy.parameters import Compression, FileType, Parameters, Size
from apps.api.legacy.transformations import exact_size, file_type
from apps.api.uploads.upload_form import UploadForm
from libs.contracts.json_text import JsonDecoder, decode_json
from libs.contracts.views.request_body import Operations
from libs.imaging.operations import AnyOperation, Blur, Compress, Grayscale, Sharpen


class Step(Struct, frozen=True, kw_only=True, tag_field="operation_type"):
    """One operation of a pipeline, with its parameters in an object of their own."""


class ResizeStep(Step, frozen=True, kw_only=True, tag="resize"):
    parameters: Size


class CompressStep(Step, frozen=True, kw_only=True, tag="compress"):
    parameters: Compression


class Filter(Parameters, frozen=True, kw_only=True):
    type: Literal["grayscale", "blur", "sharpen"]


class FilterStep(Step, frozen=True, kw_only=True, tag="filter"):
    parameters: Filter


class ConvertStep(Step, frozen=True, kw_only=True, tag="convert"):
    parameters: FileType


AnyStep: TypeAlias = ResizeStep | CompressStep | FilterStep | ConvertStep

FILTERS: Mapping[str, AnyOperation] = {"grayscale": Grayscale(), "blur": Blur(), "sharpen": Sharpen()}
_decode_operations = JsonDecoder(msgspec.json.Decoder(Operations)).decode


def read_operations(text: str) -> Operations:
    """Decode a list of pipeline steps, or a list of today's operations.

    Raises:
        msgspec.DecodeError: The text is neither.
    """
    items = decode_json(text, object)
    if isinstance(items, list) and any(isinstance(item, dict) and "operation_type" in item for item in items):  # pyright: ignore[reportUnknownVariableType]
        return tuple(_operation_of(step) for step in msgspec.convert(items, list[AnyStep], strict=False))
    return _decode_operations(text)


def _operation_of(step: AnyStep) -> AnyOperation:
    match step:
        case ResizeStep():
            return exact_size(step.parameters)
        case CompressStep():
            return Compress(quality=step.parameters.quality)
        case FilterStep():
            return FILTERS[step.parameters.type]
        case ConvertStep():
            return file_type(step.parameters.format)


PIPELINE_FORM = UploadForm(image_names=("image", "original_image"), read_operations=read_operations)
