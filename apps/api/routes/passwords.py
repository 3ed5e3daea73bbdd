"""Routes that change and reset passwords."""

from html import escape
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import MediaType
from litestar.exceptions import ValidationException
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT, HTTP_400_BAD_REQUEST

from apps.api.middleware.authentication import access_claims
from apps.api.middleware.login_limits import LoginLimits
from apps.api.middleware.query_parameters import LINK_PARAMETERS
from apps.api.openapi.document import LOGIN
from libs.auth.password_resets import fingerprint_of, verify_reset
from libs.backends import Backends
from libs.contracts.decode_errors import convert_value
from libs.contracts.views.accounts import NewPassword, PasswordChange
from libs.storage import accounts, passwords
from libs.storage.database.tables import BaseUser

PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",  # the address is a secret
    "Cache-Control": "no-store",
}
PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>New password - Darkroom</title>
<style>
:root {{ color-scheme: light dark; font: 16px system-ui, sans-serif }}
body {{ max-width: 24rem; margin: 4rem auto; padding: 0 1rem }}
input, button {{ font: inherit; width: 100%; box-sizing: border-box; padding: .5rem; margin: .5rem 0 }}
</style>
<h1>New password</h1>{body}</html>
"""
FORM = """<p>{fault}</p><form method="post"><label>Password of {username}, 8 to 128 characters
<input type="password" name="password" minlength="8" maxlength="128" autocomplete="new-password" required>
</label><button>Set password</button></form>"""
DONE = "<p>The password of {username} is set. Its earlier logins have ended.</p>"


class Passwords(Controller):
    """Passwords of accounts."""

    path = "/accounts"
    tags = ("Accounts",)

    @post("/me/password", operation_id="changePassword", security=LOGIN, status_code=HTTP_204_NO_CONTENT)
    async def change(
        self,
        data: JSONBody[PasswordChange],
        request: Request[Any, Any, Any],
        caller: NamedDependency[BaseUser],
        backends: NamedDependency[Backends],
        login_limits: NamedDependency[LoginLimits],
    ) -> None:
        """Change the caller's password. All of its other logins end; API keys stay valid."""
        login_limits.count(caller.username, request)
        await passwords.check(caller, data.old_password)
        family = UUID(access_claims(request, backends.settings)["family"])
        await passwords.replace(caller, data.new_password, keep=family)

    @get(
        "/reset/{token:str}",
        operation_id="showPasswordForm",
        media_type=MediaType.HTML,
        opt=LINK_PARAMETERS,
    )
    async def reset_page(self, token: FromPath[str], backends: NamedDependency[Backends]) -> Response[str]:
        """Show a form for a new password."""
        user = await _account_of(token, backends)
        return _page(FORM.format(fault="", username=escape(user.username)))

    @post("/reset/{token:str}", operation_id="resetPassword", status_code=HTTP_200_OK, opt=LINK_PARAMETERS)
    async def reset(
        self, token: FromPath[str], request: Request[Any, Any, Any], backends: NamedDependency[Backends]
    ) -> Response[Any]:
        """Set a new password by the address of `darkroom reset-password`. It works once, and ends all logins.

        A form is answered with a page, JSON with 204.
        """
        user = await _account_of(token, backends)
        is_form = (request.content_type or ("", {}))[0] == "application/x-www-form-urlencoded"
        sent = dict(await request.form()) if is_form else await request.json()
        try:
            new = convert_value(sent, NewPassword)
        except msgspec.ValidationError as error:
            if not is_form:
                raise ValidationException(extra=[{"key": "password", "message": str(error)}]) from error
            shown = FORM.format(fault=escape(str(error)), username=escape(user.username))
            return _page(shown, status_code=HTTP_400_BAD_REQUEST)
        await passwords.replace(user, new.password)
        if is_form:
            return _page(DONE.format(username=escape(user.username)))
        return Response(b"", status_code=HTTP_204_NO_CONTENT)


async def _account_of(token: str, backends: Backends) -> BaseUser:
    """Return the account whose password a token may replace.

    Raises:
        SignatureInvalid, SignatureExpired: The token is not valid.
        PasswordChanged: It was used, or the password has changed since.
    """
    reset = verify_reset(backends.settings.secret_key, token)
    found = await accounts.by_ids([reset.user_id])
    if not found or not found[0].active or fingerprint_of(found[0].password) != reset.fingerprint:
        raise passwords.PasswordChanged("this address was used, or the password has changed since")
    return found[0]


def _page(body: str, *, status_code: int = HTTP_200_OK) -> Response[str]:
    return Response(
        PAGE.format(body=body), status_code=status_code, media_type=MediaType.HTML, headers=PAGE_HEADERS
    )
