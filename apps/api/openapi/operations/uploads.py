"""Upload tokens, and uploads that go straight to the object store."""

from apps.api.openapi import error_groups as errors
from apps.api.openapi.described import Answer, Described
from apps.api.openapi.headers import LISTED
from libs.contracts.views.upload_tokens import NewUploadToken, UploadTokenRequest, UploadTokenView
from libs.imaging.errors import AssetMissing
from libs.outbound import UrlForbidden
from libs.storage import upload_tokens

TOKEN: errors.Errors = (upload_tokens.UploadTokenNotFound,)

OPERATIONS = {
    "createUploadToken": Described(
        json=UploadTokenRequest,
        answers={201: Answer("The token, which no other answer shows", NewUploadToken)},
        errors=(
            upload_tokens.TooManyUploadTokens,
            *errors.PIPELINE,
            *errors.IMAGE,
            UrlForbidden,
            AssetMissing,
        ),
    ),
    "listUploadTokens": Described(answers={200: Answer("A page of tokens", list[UploadTokenView], LISTED)}),
    "getUploadToken": Described(answers={200: Answer("The token", UploadTokenView)}, errors=TOKEN),
    "revokeUploadToken": Described(
        answers={204: Answer("The token is revoked")}, errors=(*TOKEN, *errors.CHANGES)
    ),
}
