"""Accounts, tokens and usage."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from libs.contracts.views.request_body import NoControls, RequestBody

# A bare `$` would accept a line break at the end.
Username = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$(?!\n)", min_length=1, max_length=64)]
Email = Annotated[str, Meta(pattern=r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+$(?!\n)", max_length=255)]
Password = Annotated[str, Meta(min_length=8, max_length=128)]


class Register(RequestBody, frozen=True, kw_only=True):
    """A new account."""

    username: Username
    email: Email
    password: Password


class Login(RequestBody, frozen=True, kw_only=True):
    """The credentials of an account. `email` is accepted and ignored."""

    username: NoControls
    password: Annotated[str, Meta(max_length=128)]
    email: str | None = None


class RefreshRequest(RequestBody, frozen=True, kw_only=True):
    """A refresh token."""

    refresh_token: Annotated[str, Meta(max_length=4096)]


class Account(Struct, frozen=True, kw_only=True):
    """An account, without its password."""

    id: int
    username: str
    email: str
    last_login: datetime | None


class Tokens(Struct, frozen=True, kw_only=True):
    """Bearer tokens. `expires_in` is the lifetime of the access token, in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of a scheme


class EditUsageView(Struct, frozen=True, kw_only=True):
    """Edits that an account has used, with tokens as the vendor counts them."""

    edits: int  # images requested: what `per_day` limits
    calls: int
    images: int  # images received
    input_tokens: int
    output_tokens: int
    total_tokens: int


class EditsView(Struct, frozen=True, kw_only=True):
    """The limit on edits and their use; days start at midnight UTC."""

    configured: bool
    per_day: int
    today: EditUsageView
    total: EditUsageView


class UsageView(Struct, frozen=True, kw_only=True):
    """An account's use of each limited resource."""

    stored_bytes: int
    quota_bytes: int
    waiting_jobs: int
    quota_jobs: int
    edits: EditsView
