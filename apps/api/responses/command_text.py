"""The command of a job as operators read it: without the bytes of `data:` URLs and the secrets of others."""

import re
from typing import Any, cast

import msgspec

from libs.outbound import is_data_url

COMMAND_CHARS = 20_000
TEXT_CHARS = 2000  # of one value
HIDDEN = "***"
_USERINFO = re.compile(r"^(https?://)[^/?#]*@", re.IGNORECASE)
_SECRET = re.compile(
    r"([?&;][^=&;#]*(?:sig|token|key|secret|pass|pwd|auth|credential|code|session)[^=&;#]*=)[^&;#]*",
    re.IGNORECASE,
)


def readable(command: str) -> str:
    """Return a command as JSON that people may read, shortened where it is very long."""
    try:
        content = msgspec.json.decode(command)
    except msgspec.DecodeError:
        return "the command cannot be read"
    return msgspec.json.encode(_hidden(content)).decode()[:COMMAND_CHARS]


def _hidden(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return {name: _hidden(one) for name, one in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_hidden(one) for one in cast("list[Any]", value)]
    return _text(value) if isinstance(value, str) else value


def _text(text: str) -> str:
    if is_data_url(text):
        head = text[:100].partition(",")[0]
        return f"{head}, and {len(text) - len(head)} characters"
    if text.lower().startswith(("http://", "https://")):
        text = _SECRET.sub(rf"\1{HIDDEN}", _USERINFO.sub(rf"\1{HIDDEN}@", text))
    if len(text) > TEXT_CHARS:
        return f"{text[:TEXT_CHARS]}... and {len(text) - TEXT_CHARS} characters"
    return text
