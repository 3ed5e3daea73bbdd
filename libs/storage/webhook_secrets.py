"""Functions over the secrets that sign webhooks: an endpoint's own, and an account's for `webhook_url`s."""

import base64
import secrets
from datetime import datetime, timedelta

from msgspec import Struct

from libs.storage import idempotency
from libs.storage.database.connection import transaction
from libs.storage.database.tables import WebhookEndpoint, WebhookSecret, new_id, now
from libs.storage.idempotency import Reservation

SECRET_PREFIX = "whsec_"  # noqa: S105 - the prefix that Standard Webhooks defines
SECRET_BYTES = 32
OVERLAP_S = 86_400.0  # how long a replaced secret continues to sign


class SigningSecrets(Struct, frozen=True):
    """The secrets that sign now: the current one, and the previous one while it is valid."""

    current: str
    previous: str | None
    previous_until: datetime | None

    @property
    def valid(self) -> list[str]:
        """All secrets that sign now."""
        return [self.current] if self.previous is None else [self.current, self.previous]


def new_secret() -> str:
    """Return a random secret in the format of Standard Webhooks."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signing_secrets(row: WebhookEndpoint | WebhookSecret) -> SigningSecrets:
    """Return the secrets that sign for an endpoint or an account now."""
    if row.previous_until is None or row.previous_until <= now():
        return SigningSecrets(row.secret, None, None)
    return SigningSecrets(row.secret, row.previous_secret, row.previous_until)


async def account_secret(owner: int) -> WebhookSecret:
    """Return the account's secret; create it on first use."""
    found = await WebhookSecret.objects().where(WebhookSecret.owner == owner).first()
    if found is not None:
        return found
    await WebhookSecret.insert(WebhookSecret(id=new_id(), owner=owner, secret=new_secret())).on_conflict(
        target=WebhookSecret.owner, action="DO NOTHING"
    )
    found = await WebhookSecret.objects().where(WebhookSecret.owner == owner).first()
    assert found is not None  # noqa: S101
    return found


async def rotate_account_secret(
    owner: int, *, overlap_s: float = OVERLAP_S, reservation: Reservation | None = None
) -> WebhookSecret:
    """Replace the account's secret; the previous one also signs for `overlap_s` seconds."""
    row = await account_secret(owner)
    async with transaction():
        await WebhookSecret.update(
            {
                WebhookSecret.previous_secret: WebhookSecret.secret,
                WebhookSecret.previous_until: now() + timedelta(seconds=overlap_s),
                WebhookSecret.secret: new_secret(),
            }
        ).where(WebhookSecret.owner == owner)
        await idempotency.bind(reservation, subject=row.id)
    return await account_secret(owner)
