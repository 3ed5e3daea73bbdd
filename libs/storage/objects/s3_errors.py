"""An S3 client's errors, become ours."""

import re
from collections.abc import Generator
from contextlib import contextmanager

from aiohttp import ClientError
from miniopy_async.error import InvalidResponseError, MinioException, S3Error, ServerError

from libs.storage.objects.errors import ObjectNotFound, StorageError, StoreFaltered, StoreUnavailable

PASSING_STATUS = {408, 425, 429}
PASSING_CODES = {
    "NoSuchBucket",
    "OperationAborted",
    "RequestTimeout",
    "SlowDown",
    "XMinioServerNotInitialized",
}


@contextmanager
def faults(key: str = "") -> Generator[None]:
    """Everything a call to the store can raise leaves as an error of this package.

    The messages name the store's status and code only: its answers repeat what was sent.
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
    """HTTP status and S3 error code, as far as the answer gives them.

    An error sent as `text/xml` is, for the client library, not XML; its code is in the message.
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
    if status >= 500:
        return StoreFaltered(answer)
    if status in PASSING_STATUS or code in PASSING_CODES:
        return StoreUnavailable(answer)
    return StorageError(answer)
