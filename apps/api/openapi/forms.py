"""Multipart forms, which handlers read while they arrive.

The fields have `examples`, not an `example`: the page would fill that in, and send fields nobody asked for.
"""

from collections.abc import Mapping
from typing import Any, get_args

from apps.api.openapi.described import Form
from libs.contracts.edits import MAX_IMAGES, Background, EditQuality, ResultFormat
from libs.imaging.formats import ACCEPTED_NAMES

Field = Mapping[str, Any]


def _text(description: str, example: str, **more: object) -> Field:
    return {"type": "string", "description": description, "examples": [example], **more}


def _file(description: str) -> Field:
    return {"type": "string", "format": "binary", "description": description}


def _choice(description: str, *values: str) -> Field:
    return {"type": "string", "enum": list(values), "description": description, "examples": [values[-1]]}


IMAGE_FILE = _file(f"The image: {ACCEPTED_NAMES}. The format is read from the bytes")
OPERATIONS_FIELD = _text(
    "A JSON list of operations, run in order; each is an `Operation`. If a watermark names a `part`, the "
    "file of that name follows this field",
    '[{"op": "resize", "width": 800}, {"op": "convert", "format": "webp"}]',
)
PRESET_FIELD = _text("A preset whose operations run before `operations`", "card", maxLength=63)
PUBLIC_FIELD: Field = {
    "type": "boolean",
    "description": "Whether addresses with a public preset need no signature; only for kept images",
    "examples": [True],
}
RENDITIONS_FIELD = _text("Presets to render ahead, separated by commas; only for kept images", "card,thumb")
RETENTION_FIELD = _choice("Default: keep without operations and prompt, else ephemeral", "keep", "ephemeral")
RESULT_RETENTION_FIELD = _choice("Of the result; default: that of the upload", "keep", "ephemeral")
WEBHOOK_FIELD = _text(
    "A URL that receives a signed event when the job ends", "https://shop.example/hooks/darkroom"
)
EDIT_FIELDS: dict[str, Field] = {
    "prompt": _text(
        "What the model changes, or makes without an image", "A red bicycle", minLength=1, maxLength=32_000
    ),
    "mask": _file("A file, or the id of a stored image; the image is edited where the mask is transparent"),
    "size": _text("`auto` or WIDTHxHEIGHT", "1024x1024"),
    "quality": _choice("How much effort the model makes", *get_args(EditQuality)),
    "n": {
        "type": "integer",
        "minimum": 1,
        "maximum": MAX_IMAGES,
        "description": "How many images the model makes; without it, one",
        "examples": [2],
    },
    "output_format": _choice("The format of the results", *get_args(ResultFormat)),
    "background": _choice("The background that the model paints", *get_args(Background)),
}
UPLOAD_FIELDS: dict[str, Field] = {
    "image": IMAGE_FILE,
    "operations": OPERATIONS_FIELD,
    "preset": PRESET_FIELD,
    "retention": RETENTION_FIELD,
    "result_retention": RESULT_RETENTION_FIELD,
    "tags": _text("Tags of the image, separated by commas; results have none", "cat,summer sale"),
    "public": PUBLIC_FIELD,
    "renditions": RENDITIONS_FIELD,
    "on_duplicate": _choice(
        "return: use a kept image with the same bytes instead of storing another", "store", "return"
    ),
    "webhook_url": WEBHOOK_FIELD,
    **EDIT_FIELDS,
}
REPLACEMENT_FIELDS: dict[str, Field] = {
    "image": IMAGE_FILE,
    **EDIT_FIELDS,
    "operations": OPERATIONS_FIELD,
    "webhook_url": WEBHOOK_FIELD,
}

UPLOAD_FORM = Form(
    name="UploadForm", text="An image, and what to do with it. Optional with a prompt", fields=UPLOAD_FIELDS
)
REPLACEMENT_FORM = Form(
    name="ReplacementForm",
    text="An image in the place of the stored one, and how a model edits it",
    fields=REPLACEMENT_FIELDS,
    required=("image", "prompt"),
)
EDIT_FORM = Form(
    name="EditForm",
    text="An edit of a stored image, with the mask as a file",
    fields={
        **EDIT_FIELDS,
        "operations": OPERATIONS_FIELD,
        "retention": RETENTION_FIELD,
        "webhook_url": WEBHOOK_FIELD,
    },
    required=("prompt",),
)
SEARCH_FORM = Form(
    name="SearchForm",
    text="An image whose look-alikes are searched",
    fields={
        "image": IMAGE_FILE,
        "max_distance": {
            "type": "integer",
            "minimum": 0,
            "maximum": 64,
            "default": 10,
            "description": "The greatest number of differing bits, of 64",
            "examples": [10],
        },
        "limit": {
            "type": "integer",
            "minimum": 1,
            "maximum": 100,
            "default": 20,
            "description": "The greatest number of entries",
            "examples": [20],
        },
    },
    required=("image",),
)
BATCH_FORM = Form(
    name="BatchForm",
    text="A CSV file of products, and what to do with their images",
    fields={
        "file": _file(
            "A CSV file: a header, then a serial number, a product name and image URLs on each row"
        ),
        "webhook_url": _text(
            "A URL that receives a signed event when the batch ends", "https://shop.example/hooks/darkroom"
        ),
        "operations": _text(
            "A JSON list of operations; each is an `Operation`. Default: convert to JPEG with quality 50",
            '[{"op": "resize", "width": 800}, {"op": "compress", "quality": 60}]',
        ),
        "preset": PRESET_FIELD,
        "retention": _choice("Default: keep", "ephemeral", "keep"),
        "public": PUBLIC_FIELD,
        "renditions": RENDITIONS_FIELD,
        "on_missing_image": _choice(
            "What becomes of a row without an image URL; by default, the file is refused", "refuse", "skip"
        ),
    },
    required=("file",),
)
