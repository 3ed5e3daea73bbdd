"""The descriptions of the legacy operations, by the handlers that answer them."""

from collections.abc import Mapping

from litestar.handlers import HTTPRouteHandler
from msgspec.structs import asdict, replace

from apps.api.legacy.accounts import LegacyAccount, LegacyRefreshRequest, LegacyTokens
from apps.api.legacy.forms import LEGACY_UPLOAD_FORM, TRANSFORM_FORM
from apps.api.legacy.image_views import LegacyImage, LinkedImage, legacy_image
from apps.api.legacy.transform import TransformBody, Transformed
from apps.api.openapi import error_groups as errors
from apps.api.openapi.described import Answer, Described
from apps.api.openapi.examples import add_examples, values
from apps.api.openapi.headers import LISTED
from apps.api.openapi.operations import OPERATIONS
from apps.api.openapi.operations.images import QUEUED, changes, uploads
from libs.contracts.views.batches import BatchView

TODAY = OPERATIONS
UPLOAD = replace(TODAY["uploadImage"], form=LEGACY_UPLOAD_FORM)
EDIT = replace(
    TODAY["changeImage"], json=None, answers=changes(LinkedImage), errors=(*TODAY["changeImage"].errors,)
)
IMAGE = Described(answers={200: Answer("The image", LegacyImage)}, errors=errors.IMAGE)

DOWNLOAD = TODAY["downloadImage"]
NO_ID: errors.Errors = (
    "method_not_allowed",
)  # what is no id belongs to an address of today, which is read by GET

LEGACY: Mapping[str, Described] = {
    "LegacyAccounts.register": replace(
        TODAY["registerAccount"], answers={201: Answer("The new account", LegacyAccount)}
    ),
    "LegacyAccounts.login": replace(
        TODAY["logIn"], answers={200: Answer("The tokens of a new login", LegacyTokens)}
    ),
    "LegacyAccounts.refresh": replace(
        TODAY["refreshTokens"],
        json=LegacyRefreshRequest,
        answers={200: Answer("The new tokens", LegacyTokens)},
    ),
    "LegacyAccounts.logout": replace(
        TODAY["logOut"],
        json=LegacyRefreshRequest,
        answers={
            204: Answer("The login of `refresh_token` has ended"),
            205: Answer("The login of `refresh` has ended"),
        },
    ),
    "LegacyApiImages.create": replace(UPLOAD, answers=uploads(LegacyImage)),
    "LegacyApiImages.create_and_wait": replace(UPLOAD, answers=uploads(LegacyImage)),
    "LegacyApiImages.list_images": Described(
        answers={200: Answer("A page of images", list[LegacyImage], LISTED)}
    ),
    "LegacyApiImages.get_image": IMAGE,
    "LegacyApiImages.get_image_by_post": replace(IMAGE, errors=(*IMAGE.errors, *NO_ID)),
    "LegacyApiImages.change": replace(TODAY["changeImage"], answers=changes(LegacyImage)),
    "LegacyApiImages.replace": replace(TODAY["replaceImage"], answers=changes(LegacyImage)),
    "LegacyApiImages.remove": TODAY["deleteImage"],
    "LegacyApiImages.download": replace(DOWNLOAD, errors=(*DOWNLOAD.errors, *NO_ID)),
    "LegacyBatches.upload": TODAY["createBatch"],
    "LegacyBatches.status": Described(answers={200: Answer("The batch", BatchView)}, errors=errors.BATCH),
    "LegacyImages.upload": replace(UPLOAD, answers=uploads(LinkedImage)),
    "LegacyImages.list_images": Described(
        answers={200: Answer("A page of images", list[LinkedImage], LISTED)}
    ),
    "LegacyImages.edit_newest": EDIT,
    "LegacyImages.edit_again": EDIT,
    "LegacyImages.remove": TODAY["deleteImage"],
    "LegacyImages.transform": Described(
        form=TRANSFORM_FORM,
        json=TransformBody,
        sends=("Prefer",),
        answers={200: Answer("A link to the result", Transformed, ("Preference-Applied",)), 202: QUEUED},
        errors=TODAY["uploadImage"].errors,
    ),
}


def legacy_description(handler: HTTPRouteHandler) -> Described:
    """Return the description of a legacy operation."""
    return LEGACY[handler.fn.__qualname__]


_image = legacy_image(values.IMAGE)
_shared_fields = {name: getattr(_image, name) for name in _image.__struct_fields__}
add_examples(
    _image,
    LinkedImage(**_shared_fields, original_url=f"{values.BASE}/d/4q0uGm0u3zGJvQ", file_type="jpeg"),
    LegacyAccount(**asdict(values.ACCOUNT), message="User registered successfully.", data=values.ACCOUNT),
    LegacyTokens(
        access_token=values.TOKEN,
        refresh_token=values.TOKEN,
        expires_in=900,
        access=values.TOKEN,
        refresh=values.TOKEN,
    ),
    LegacyRefreshRequest(refresh=values.TOKEN),
    LegacyRefreshRequest(refresh_token=values.TOKEN),
    Transformed(
        message="Image transformation successful.",
        transformed_image_url=f"{values.BASE}/d/4q0uGm0u3zGJvQ",
        expires_in=3600,
    ),
    TransformBody(transformation_type="resize", transformation_parameters={"width": 800, "height": 600}),
    TransformBody(transformations={"rotate": 90, "format": "png"}),
)
