"""Which HTTP status answers each error of the libraries: one table."""

from apps.http.byte_ranges import BadRange
from libs import outbound
from libs.auth import tokens as signing
from libs.batches.csv_file import BadCsv
from libs.edits import errors as edits
from libs.imaging import errors as imaging
from libs.jobs.admission import EditsNotConfigured, TooManyOperations
from libs.runtime.disk import StorageFull
from libs.runtime.process_pool import RenderCrashed, RenderFailed, RenderTimeout
from libs.runtime.threads import ServerBusy
from libs.storage import (
    accounts,
    api_keys,
    batches,
    idempotency,
    jobs,
    passwords,
    refresh_tokens,
    upload_tokens,
    webhook_deliveries,
    webhook_endpoints,
)
from libs.storage.database.errors import DatabaseFull, DatabaseUnavailable, InvalidValue
from libs.storage.edit_calls import DailyEditsUsed
from libs.storage.image_errors import ImageChanged, ImageFailed, ImageNotFound, ImageNotReady, QuotaExceeded
from libs.storage.objects import ObjectNotFound, ObjectsNotDeleted, StoreFull, StoreUnavailable

STATUS: dict[type[Exception], int] = {
    imaging.ImagingError: 422,
    imaging.NotAnImage: 415,
    imaging.FormatNotAccepted: 415,
    imaging.ImageTooLarge: 413,
    imaging.SideTooLong: 413,
    imaging.TooManyFrames: 413,
    RenderTimeout: 422,
    RenderCrashed: 422,
    RenderFailed: 422,
    BadRange: 416,
    api_keys.ApiKeyError: 400,
    api_keys.ApiKeyInvalid: 401,
    api_keys.ApiKeyExpired: 401,
    api_keys.AddressNotAllowed: 403,
    api_keys.ApiKeyNotFound: 404,
    api_keys.TooManyApiKeys: 409,
    upload_tokens.UploadTokenError: 400,
    upload_tokens.UploadTokenInvalid: 401,
    upload_tokens.UploadTokenExpired: 401,
    upload_tokens.UploadTokenUsedUp: 403,
    upload_tokens.UploadTokenNotFound: 404,
    upload_tokens.TooManyUploadTokens: 409,
    accounts.BadCredentials: 401,
    accounts.RegistrationClosed: 403,
    accounts.UsernameTaken: 409,
    accounts.EmailTaken: 409,
    passwords.WrongPassword: 403,
    passwords.PasswordChanged: 409,
    refresh_tokens.TokenError: 401,
    refresh_tokens.TokenExpired: 401,
    refresh_tokens.TokenReused: 401,
    signing.SignatureInvalid: 401,
    signing.SignatureExpired: 401,
    ImageNotFound: 404,
    ImageNotReady: 400,
    ImageFailed: 409,
    ImageChanged: 409,
    QuotaExceeded: 413,
    jobs.JobNotFound: 404,
    jobs.JobEndedAlready: 409,
    jobs.JobNotFailed: 409,
    jobs.TooManyJobs: 429,
    TooManyOperations: 400,
    batches.BatchNotFound: 404,
    BadCsv: 422,
    edits.EditError: 502,
    EditsNotConfigured: 503,
    edits.EditRejected: 422,
    edits.EditQuota: 503,
    edits.EditRateLimited: 503,
    edits.EditTimedOut: 504,
    edits.EditUnavailable: 503,
    DailyEditsUsed: 429,
    idempotency.BadKey: 400,
    idempotency.KeyInUse: 409,
    idempotency.KeyReused: 422,
    outbound.FetchError: 422,
    outbound.UrlTooLarge: 413,
    outbound.UrlNotAnImage: 415,
    webhook_endpoints.WebhookNotFound: 404,
    webhook_endpoints.WebhookDisabled: 409,
    webhook_endpoints.TooManyWebhooks: 409,
    webhook_deliveries.DeliveryNotFound: 404,
    webhook_deliveries.DeliveryUnderWay: 409,
    ObjectNotFound: 404,
    ObjectsNotDeleted: 503,
    DatabaseUnavailable: 503,
    InvalidValue: 400,
    StoreUnavailable: 503,
    ServerBusy: 503,
    StorageFull: 507,
    DatabaseFull: 507,
    StoreFull: 507,
}
"""Any other class, unless it is an HTTPException, is a bug: 500 `internal_error`."""
