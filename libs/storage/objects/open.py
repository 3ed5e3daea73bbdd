"""The object store that a URL names."""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from libs.storage.objects.local import LocalObjects
from libs.storage.objects.port import ObjectStore
from libs.storage.objects.s3 import S3Objects
from libs.storage.objects.s3_connections import Bucket

BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def open_objects(url: str, scratch: Path) -> ObjectStore:
    """Return the store that `url` names, without connecting to it.

    Args:
        url: `file:///folder`, or `s3://KEY:SECRET@host:9000/bucket` with percent-encoded credentials and the
            options `secure=false` for plain HTTP, `public_url=https://host` for links, and `region=name`.
        scratch: An existing folder for copies of remote objects.

    Raises:
        ValueError: The URL is invalid. The text never repeats it, because it contains a secret.
    """
    parts = _split(url)
    if parts.scheme == "file":
        return LocalObjects(_folder(parts))
    if parts.scheme == "s3":
        return S3Objects(_bucket(parts), scratch)
    raise ValueError("the objects URL must begin with file:// or s3://")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError("the objects URL has a bad host or port; is the secret percent-encoded?") from None
    if parts.fragment:
        raise ValueError("the objects URL has a #; is the secret percent-encoded?")
    return parts


def _folder(parts: SplitResult) -> Path:
    if parts.netloc not in ("", "localhost"):
        raise ValueError("a file:// URL has no host; write file:///folder, with three slashes")
    folder = Path(unquote(parts.path))
    if not folder.is_absolute() or parts.query:
        raise ValueError("a file:// URL must be an absolute path without options")
    return folder


def _bucket(parts: SplitResult) -> Bucket:
    if not parts.username or not parts.password:
        raise ValueError("the s3:// URL has no credentials: s3://KEY:SECRET@host/bucket")
    if not parts.hostname:
        raise ValueError("the s3:// URL has no host")
    name = parts.path.strip("/")
    if not BUCKET_NAME.fullmatch(name):
        raise ValueError("the path of the s3:// URL must be the name of a bucket")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(options.keys() - {"secure", "public_url", "region"})
    if unknown:
        raise ValueError(f"the s3:// URL has an unknown option: {unknown[0]}")
    return Bucket(
        endpoint=parts.netloc.rpartition("@")[2],
        name=name,
        key=unquote(parts.username),
        secret=unquote(parts.password),
        secure=_secure(options),
        region=options.get("region") or "us-east-1",
        public_url=_public_url(options),
    )


def _secure(options: Mapping[str, str]) -> bool:
    secure = BOOLEANS.get(options.get("secure", "true").lower())
    if secure is None:
        raise ValueError("the option secure of the s3:// URL must be true or false")
    return secure


def _public_url(options: Mapping[str, str]) -> str | None:
    """Return the scheme and host for links; a path is refused because the signature covers host and path."""
    public_url = options.get("public_url")
    if not public_url:
        return None
    parts = _split(public_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError("the option public_url of the s3:// URL must be http(s)://host[:port]")
    return f"{parts.scheme}://{parts.netloc}"
