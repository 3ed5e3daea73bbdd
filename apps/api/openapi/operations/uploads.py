"""Upload tokens, and uploads that go straight to the object store."""

from apps.api.openapi import error_groups as errors
from apps.api.openapi.described import Answer, Described, Media
from apps.api.openapi.headers import LISTED, ONCE
from libs.contracts.views.upload_tokens import NewUploadToken, UploadTokenRequest, UploadTokenView
from libs.contracts.views.uploads import UploadRequest, UploadView
from libs.imaging.errors import AssetMissing
from libs.outbound import UrlForbidden
from libs.runtime.threads import ServerBusy
from libs.storage import direct_uploads, jobs, upload_tokens
from libs.storage.image_errors import QuotaExceeded

TOKEN: errors.Errors = (upload_tokens.UploadTokenNotFound,)

OPERATIONS = {
    "openUpload": Described(
        json=UploadRequest,
        sends=("Idempotency-Key",),
        answers={201: Answer("Where to store the file", UploadView, ONCE)},
        errors=(
            QuotaExceeded,
            jobs.TooManyJobs,
            direct_uploads.TooManyUploads,
            direct_uploads.UploadNotFound,
            upload_tokens.UploadTokenUsedUp,
            *errors.STORE,
        ),
    ),
    "storeUpload": Described(
        file=Media("image/*"),
        answers={204: Answer("The file is stored", None, ("ETag",))},
        errors=(
            *errors.TOKEN[1:],
            *errors.STORE,
            direct_uploads.UploadNotFound,
            direct_uploads.UploadClaimed,
            direct_uploads.UploadMismatch,
            ServerBusy,
        ),
    ),
    "createUploadToken": Described(
        json=UploadTokenRequest,
        answers={201: Answer("The token, which no other answer shows", NewUploadToken)},
        errors=(
            upload_tokens.TooManyUploadTokens,
            *errors.PIPELINE,
            *errors.IMAGE,
            *errors.PRESET,
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
