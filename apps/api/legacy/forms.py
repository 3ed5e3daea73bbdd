"""The multipart forms of older clients."""

from apps.api.legacy.parameters import TYPES
from apps.api.openapi.described import Form
from apps.api.openapi.forms import IMAGE_FILE, OPERATIONS_FIELD, UPLOAD_FIELDS

LEGACY_UPLOAD_FORM = Form(
    name="LegacyUploadForm",
    text="An image as `image` or `original_image`, and what to do with it. Optional with a prompt",
    fields={
        **UPLOAD_FIELDS,
        "original_image": IMAGE_FILE,
        "operations": {
            **OPERATIONS_FIELD,
            "description": f"{OPERATIONS_FIELD['description']}. Or a list of pipeline steps, each with an "
            "`operation_type` and `parameters`",
        },
    },
)
TRANSFORM_FORM = Form(
    name="TransformForm",
    text="One transformation or several, and the file of a watermark after the fields that name it",
    fields={
        "transformation_type": {
            "type": "string",
            "enum": sorted(TYPES),
            "description": "The transformation; without it, the parameters name several",
            "examples": ["resize"],
        },
        "transformation_parameters": {
            "type": "string",
            "description": "Its parameters in JSON, or the parameters of several by their names",
            "examples": ['{"width": 800, "height": 600}'],
        },
        "transformations": {
            "type": "string",
            "description": "The parameters of several transformations by their names, in JSON",
            "examples": ['{"rotate": 90, "format": "png"}'],
        },
        "image": IMAGE_FILE,
        "watermark": IMAGE_FILE,
    },
)
