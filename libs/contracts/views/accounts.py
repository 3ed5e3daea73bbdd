"""Accounts, tokens and usage."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from libs.contracts.views.request_body import NoControls, RequestBody

# A bare `$` would accept a line break at the end.
Username = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$(?!\n)", min_length=1, max_length=64)]
Email = Annotated[str, Meta(pattern=r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+$(?!\n)", max_length=255)]
Password = Annotated[str, Meta(min_length=8, max_length=128)]


class Register(RequestBody, frozen=True, kw_only=True):
    """A new account."""

    username: Username
    """The name to log in with: letters, digits, `.`, `_` and `-`."""
    email: Email
    """An address of the account; it is not verified."""
    password: Password
    """At least eight characters."""


class Login(RequestBody, frozen=True, kw_only=True):
    """The credentials of an account. `email` is accepted and ignored."""

    username: NoControls
    """The name of the account."""
    password: Annotated[str, Meta(max_length=128)]
    """Its password."""
    email: str | None = None
    """Ignored; older clients send it."""


class PasswordChange(RequestBody, frozen=True, kw_only=True):
    """The password of the caller's account, and the one that replaces it."""

    old_password: Annotated[str, Meta(max_length=128)]
    """The password so far."""
    new_password: Password
    """The password from now on: at least eight characters."""


class PasswordConfirmation(RequestBody, frozen=True, kw_only=True):
    """The password of the caller's account, so that a stolen token alone cannot do what follows."""

    password: Annotated[str, Meta(max_length=128)]
    """The password of the account."""


class NewPassword(RequestBody, frozen=True, kw_only=True):
    """A new password."""

    password: Password
    """The password from now on: at least eight characters."""


class RefreshRequest(RequestBody, frozen=True, kw_only=True):
    """A refresh token."""

    refresh_token: Annotated[str, Meta(max_length=4096)]
    """The newest refresh token of the login."""


class Account(Struct, frozen=True, kw_only=True):
    """An account, without its password."""

    id: int
    """The number of the account."""
    username: str
    """The name to log in with."""
    email: str
    """The address that the account was registered with."""
    last_login: datetime | None
    """When the account last logged in; null before the first time."""
    admin: bool
    """Whether it is an operator of this server."""


class Tokens(Struct, frozen=True, kw_only=True):
    """Bearer tokens. `expires_in` is the lifetime of the access token, in seconds."""

    access_token: str
    """Sent as `Authorization: Bearer ...` with each request."""
    refresh_token: str
    """Exchanged once for a new pair of tokens."""
    expires_in: int
    """Seconds until the access token expires."""
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of a scheme
    """The scheme of the Authorization header."""


class SessionView(Struct, frozen=True, kw_only=True):
    """A login that has not ended. The address that it was made from is not stored."""

    id: UUID
    """The id of the session."""
    current: bool
    """Whether the request was made with it."""
    user_agent: str | None
    """What the program said of itself when it logged in; null if it said nothing."""
    created_at: datetime
    """When the account logged in."""
    renewed_at: datetime
    """When its tokens were last renewed."""
    expires_at: datetime
    """When it ends, unless it is renewed before."""


class EditUsageView(Struct, frozen=True, kw_only=True):
    """Edits that an account has used, with tokens as the vendor counts them."""

    edits: int
    """Images requested, which `per_day` limits."""
    calls: int
    """Requests to the model."""
    images: int
    """Images received."""
    input_tokens: int
    """Tokens of prompts and sources."""
    output_tokens: int
    """Tokens of results."""
    total_tokens: int
    """All tokens."""


class EditsView(Struct, frozen=True, kw_only=True):
    """The limit on edits and their use; days start at midnight UTC."""

    configured: bool
    """Whether the server has a model for edits."""
    per_day: int
    """Images that the account may request in a day; days start at midnight UTC."""
    today: EditUsageView
    """What was used since midnight UTC."""
    total: EditUsageView
    """What was ever used."""


class UsageView(Struct, frozen=True, kw_only=True):
    """An account's use of each limited resource."""

    stored_bytes: int
    """The size of all stored images."""
    reserved_bytes: int
    """The size of all direct uploads that no image is made of yet; it counts too."""
    quota_bytes: int
    """The greatest size of all stored images."""
    waiting_jobs: int
    """Jobs that have not ended."""
    quota_jobs: int
    """The greatest number of jobs that have not ended."""
    edits: EditsView
    """Edits by a model."""
