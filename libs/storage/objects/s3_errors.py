"""Translation of the S3 client's errors to the errors of this package."""

import re
from collections.abc import Generator
from contextlib import contextmanager

from aiohttp import ClientError
from miniopy_async.error import InvalidResponseError, MinioException, S3Error, ServerError

from libs.storage.objects.errors import (
    ObjectNotFound,
    StorageError,
    StoreFaltered,
    StoreFull,
    StoreUnavailable,
)

FULL_STATUS = 507
FULL_CODES = {"XMinioStorageFull", "QuotaExceeded", "XMinioAdminBucketQuotaExceeded"}
TRANSIENT_STATUSES = {408, 425, 429}
TRANSIENT_CODES = {
    "NoSuchBucket",
    "OperationAborted",
    "RequestTimeout",
    "SlowDown",
    "XMinioServerNotInitialized",
}


@contextmanager
def faults(key: str = "") -> Generator[None]:
    """Translate every error of a call to the store.

    The messages have only the status and code of the response, because its text repeats the request.
    """
    try:
        yield
    except MinioException as error:
        raise _translate(error, key) from error
    except TimeoutError as error:
        raise StoreUnavailable("the object store did not answer in time") from error
    except (ClientError, ConnectionError) as error:
        raise StoreUnavailable("the object store cannot be reached") from error


def status_and_code(error: MinioException) -> tuple[int, str]:
    """Return the HTTP status and the S3 error code of a response; 0 and "" where it has none.

    The client library does not parse an error sent as `text/xml`; its code is then in the message.
    """
    if isinstance(error, S3Error):
        return error.response.status, error.code or ""
    if isinstance(error, ServerError):
        return error.status_code, ""
    text = str(error) if isinstance(error, InvalidResponseError) else ""
    status = re.search(r"Response code: (\d+)", text)
    code = re.search(r"<Code>(\w+)</Code>", text)
    return int(status[1]) if status else 0, code[1] if code else ""


def _translate(error: MinioException, key: str) -> StorageError:
    status, code = status_and_code(error)
    if code == "NoSuchKey":
        return ObjectNotFound(key)
    answer = f"the object store answered {status} {code}".rstrip()
    if status == FULL_STATUS or code in FULL_CODES:
        return StoreFull()
    if status >= 500:
        return StoreFaltered(answer)
    if status in TRANSIENT_STATUSES or code in TRANSIENT_CODES:
        return StoreUnavailable(answer)
    return StorageError(answer)
