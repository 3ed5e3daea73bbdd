"""What an upload token may do: upload as it says, and nothing else."""

from typing import Any, ClassVar

from litestar import Request

from libs.auth.upload_tokens import FORM
from libs.contracts.outcome import Outcome
from libs.storage import upload_tokens
from libs.storage.database.tables import BaseUser
from libs.storage.database.upload_tables import UploadToken

BY_UPLOAD_TOKEN: dict[str, Any] = {"upload_token": True}
"""The option of a route that an upload token opens."""
PARAMETER = "upload_token"  # of the query, for plain forms and libraries that cannot send a header


class UploadTokenNotAllowed(Exception):
    """An upload token cannot do this: it only uploads."""

    code = "upload_token_not_allowed"
    outcome: ClassVar[Outcome] = "refused"


def upload_token_of(request: Request[Any, Any, Any]) -> str | None:
    """Return the text that the request sends as its upload token, or None.

    It is sent as a bearer token; on routes that it opens also as a parameter, without that header.
    """
    authorization = request.headers.get("authorization")
    if authorization is None:
        return request.query_params.get(PARAMETER) if _opens(request) else None
    scheme, _, value = authorization.partition(" ")
    text = value.strip()
    return text if scheme.lower() == "bearer" and FORM.is_claimed_by(text) else None


async def upload_token_holder(request: Request[Any, Any, Any], text: str) -> BaseUser:
    """Return the account of an upload token that opens this route.

    Raises:
        UploadTokenInvalid, UploadTokenExpired: The token is not valid.
        UploadTokenNotAllowed: It does not open this route.
    """
    token = FORM.parse(text)
    if token is None:
        raise upload_tokens.UploadTokenInvalid("the upload token is not valid: it is mistyped or incomplete")
    user, row = await upload_tokens.authenticate(token.id, token.digest)
    if not _opens(request):
        raise UploadTokenNotAllowed("an upload token only uploads images")
    request.state["upload_token"] = row
    return user


def used_token(request: Request[Any, Any, Any]) -> UploadToken | None:
    """Return the upload token that an authenticated request was made with, or None."""
    token: UploadToken | None = request.state.get("upload_token")
    return token


def _opens(request: Request[Any, Any, Any]) -> bool:
    return "upload_token" in request.scope["route_handler"].opt
