"""Parse the URL of a request and keep its spelling: a signature covers `%2F` and `/` as different texts.

Only what a URL may not contain is percent-encoded, as browsers do (https://url.spec.whatwg.org,
"percent-encoded bytes"); so is a percent sign that begins no escape, which servers refuse. A host becomes
ASCII (IDNA), and dot segments of the path are resolved (RFC 3986, section 5.2.4).
"""

import re
from urllib.parse import urljoin

from yarl import URL

PARTS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]+)([^?#]*)(\?[^#]*)?")
ESCAPED_IN_PATH = re.compile(rb"%(?![0-9A-Fa-f]{2})|[^!$%&'()*+,\-./0-9:;=@A-Z\[\]_a-z|~]")
ESCAPED_IN_QUERY = re.compile(rb"%(?![0-9A-Fa-f]{2})|[^!$%&()*+,\-./0-9:;=?@A-Z\[\]^_`a-z{|}~]")


def parse_url(text: str) -> URL:
    """Return the URL to request, without its fragment.

    Raises:
        ValueError: It is not an absolute URL with a host.
    """
    text = text.strip(" ")
    _check_characters(text)
    parts = PARTS.match(text)
    if parts is None:
        raise ValueError("it is not of the form https://host/path")
    scheme, authority, path, query = parts.groups(default="")
    try:
        origin = URL(f"{scheme}://{authority}")
    except ValueError as error:
        raise ValueError("its host or port is not valid") from error
    path, query = _escaped(_without_dots(path), ESCAPED_IN_PATH), _escaped(query, ESCAPED_IN_QUERY)
    if query == "?":  # yarl drops an empty query, but not the end of a path
        return URL.build(scheme=origin.scheme, authority=origin.raw_authority, path=f"{path}?", encoded=True)
    return URL(f"{origin.scheme}://{origin.raw_authority}{path}{query}", encoded=True)


def join_url(base: URL, reference: str) -> URL:
    """Resolve a `Location` header, which may be relative and hold any bytes, as surrogates.

    Raises:
        ValueError: It does not lead to a URL with a host.
    """
    _check_characters(reference)
    try:
        url = urljoin(str(base), reference)
    except ValueError as error:
        raise ValueError("its host is not valid") from error
    return parse_url(url)


def _check_characters(text: str) -> None:
    if any(c < " " or c == "\x7f" for c in text):
        raise ValueError("it has control characters")
    if "\\" in text:
        raise ValueError("it has backslashes")


def _without_dots(path: str) -> str:
    segments = path.split("/")[1:] or [""]
    kept: list[str] = []
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def _escaped(text: str, escaped: re.Pattern[bytes]) -> str:
    data = text.encode(errors="surrogateescape")
    return escaped.sub(lambda found: b"%%%02X" % ord(found[0]), data).decode("ascii")
