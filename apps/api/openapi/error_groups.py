"""The errors that groups of operations have in common, for the API's description."""

from typing import TypeAlias

from apps.api.middleware.upload_token_access import UploadTokenNotAllowed
from apps.api.responses.event_streams import TooManyStreams
from apps.api.uploads.errors import MissingImage, UnsupportedMediaType, UploadTooLarge
from apps.http.byte_ranges import BadRange
from libs import outbound
from libs.auth import tokens as signing
from libs.edits import errors as edits
from libs.imaging import errors as imaging
from libs.jobs.admission import EditsNotConfigured, TooManyOperations
from libs.runtime.disk import StorageFull
from libs.runtime.process_pool import RenderCrashed, RenderFailed, RenderTimeout
from libs.runtime.threads import ServerBusy
from libs.storage import (
    api_keys,
    batches,
    idempotency,
    jobs,
    presets,
    upload_tokens,
    webhook_deliveries,
    webhook_endpoints,
)
from libs.storage.database.errors import DatabaseFull, DatabaseUnavailable, InvalidValue
from libs.storage.edit_calls import DailyEditsUsed
from libs.storage.image_errors import (
    ImageChanged,
    ImageFailed,
    ImageNotFound,
    ImageNotKept,
    ImageNotReady,
    QuotaExceeded,
)
from libs.storage.objects import ObjectNotFound, ObjectsNotDeleted, StoreFull, StoreUnavailable

Errors: TypeAlias = tuple[type[Exception] | str, ...]
"""Classes, which stand for their subclasses too, and codes that have no class."""

# What follows from the shape of a request.
ALWAYS: Errors = ("internal_error", "rate_limited", DatabaseUnavailable)
TOKEN: Errors = ("not_authenticated", signing.SignatureInvalid, signing.SignatureExpired)
API_KEY: Errors = (api_keys.ApiKeyInvalid, api_keys.ApiKeyExpired, api_keys.AddressNotAllowed)
UPLOAD_TOKEN: Errors = (
    upload_tokens.UploadTokenInvalid,
    upload_tokens.UploadTokenExpired,
    UploadTokenNotAllowed,
)
UNKNOWN_PARAMETER: Errors = ("invalid_request",)
QUERY: Errors = ("invalid_request", InvalidValue)
ID_IN_PATH: Errors = ("not_found",)  # an id that is not a UUID
BODY: Errors = ("invalid_request", InvalidValue, "request_timeout", UploadTooLarge)
CHANGES: Errors = (StorageFull, DatabaseFull)
KEY: Errors = (idempotency.BadKey, idempotency.KeyInUse, idempotency.KeyReused)

# What an operation says of itself.
IMAGE: Errors = (ImageNotFound,)
JOB: Errors = (jobs.JobNotFound,)
BATCH: Errors = (batches.BatchNotFound,)
WEBHOOK: Errors = (webhook_endpoints.WebhookNotFound,)
DELIVERY: Errors = (webhook_deliveries.DeliveryNotFound,)
STREAM: Errors = (TooManyStreams,)
STORE: Errors = (StoreUnavailable, StoreFull)
DOWNLOAD: Errors = (BadRange, ObjectNotFound, StoreUnavailable)
DELETION: Errors = (StoreUnavailable, ObjectsNotDeleted)
QUEUE: Errors = (jobs.TooManyJobs, ImageFailed, ImageNotReady)
RENDER: Errors = (imaging.ImagingError, RenderTimeout, RenderCrashed, RenderFailed)
ENDED_JOB: Errors = ("attempts_exhausted", "job_cancelled")
FETCH: Errors = (outbound.FetchError,)
PIPELINE: Errors = (TooManyOperations,)
PRESET: Errors = (presets.PresetNotFound,)
KEPT: Errors = (ImageNotKept,)
MODEL: Errors = (EditsNotConfigured, edits.EditError, DailyEditsUsed)
FILE: Errors = (UnsupportedMediaType, MissingImage, QuotaExceeded, ServerBusy)
REPLACEMENT: Errors = (ImageChanged,)
