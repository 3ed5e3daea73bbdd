"""Presigned URLs for uploads, whose signature covers headers too (AWS Signature Version 4).

The client library signs the host alone. With its length and its type signed, a URL takes exactly the file
that it was made for: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote, urlsplit

from libs.storage.objects.s3_connections import Bucket

ALGORITHM = "AWS4-HMAC-SHA256"


def presigned_put(
    address: str, bucket: Bucket, headers: Mapping[str, str], *, expires_s: int, moment: datetime
) -> str:
    """Return a URL at which one request with exactly these headers can store an object.

    Args:
        address: The URL of the object, without a query.
        bucket: Its credentials and region sign.
        headers: By names in lower case, besides the host.
        expires_s: How long a request may be begun, at most seven days.
        moment: Now, in UTC.
    """
    parts, date = urlsplit(address), f"{moment:%Y%m%d}"
    scope = f"{date}/{bucket.region}/s3/aws4_request"
    signed = dict(sorted({**headers, "host": parts.netloc}.items()))
    query = _query(
        {
            "X-Amz-Algorithm": ALGORITHM,
            "X-Amz-Credential": f"{bucket.key}/{scope}",
            "X-Amz-Date": f"{moment:%Y%m%dT%H%M%SZ}",
            "X-Amz-Expires": str(expires_s),
            "X-Amz-SignedHeaders": ";".join(signed),
        }
    )
    lines = "".join(f"{name}:{value}\n" for name, value in signed.items())
    request = f"PUT\n{parts.path}\n{query}\n{lines}\n{';'.join(signed)}\nUNSIGNED-PAYLOAD"
    digest = hashlib.sha256(request.encode()).hexdigest()
    to_sign = f"{ALGORITHM}\n{moment:%Y%m%dT%H%M%SZ}\n{scope}\n{digest}"
    key = f"AWS4{bucket.secret}".encode()
    for part in (date, bucket.region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return f"{address}?{query}&X-Amz-Signature={hmac.digest(key, to_sign.encode(), 'sha256').hex()}"


def _query(values: Mapping[str, str]) -> str:
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in sorted(values.items()))
