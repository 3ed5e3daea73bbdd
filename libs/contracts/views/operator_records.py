"""Records of all accounts as operators see them: images, batches, deliveries, accounts, keys."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from libs.contracts.views.accounts import UsageView
from libs.contracts.views.api_keys import ApiKeyView
from libs.contracts.views.batches import BatchDetail, BatchView
from libs.contracts.views.request_body import RequestBody
from libs.contracts.views.upload_tokens import UploadTokenView
from libs.contracts.views.webhooks import DeliveryView, WebhookView


class SiteImage(Struct, frozen=True, kw_only=True):
    """An image of any account."""

    id: UUID
    """The id of the image."""
    owner: str
    """The name of the account."""
    filename: str
    """The name of the file."""
    format: str
    """The format of the file."""
    width: int
    """The width in pixels."""
    height: int
    """The height in pixels."""
    size_bytes: int
    """The size of the file."""
    md5: str
    """The MD5 of the file, hex."""
    status: str
    """`pending` until it was decoded, then `ready`; `deleting` while its file is removed."""
    retention: str
    """`keep` or `ephemeral`."""
    parent: UUID | None
    """The image that it was made from."""
    source_url: str | None
    """The URL that it was fetched from."""
    expires_at: datetime | None
    """When it expires; null for never."""
    created_at: datetime
    """When it was stored."""
    thumbnail_url: str
    """A small picture of it, which opens without a token for a day or two."""


class OwnedBatchView(BatchView, frozen=True, kw_only=True):
    """A batch with its account."""

    owner: str
    """The name of the account."""


class OwnedBatchDetail(BatchDetail, frozen=True, kw_only=True):
    """A batch with its account, its failures by code and some of its items."""

    owner: str
    """The name of the account."""


class OwnedDeliveryView(DeliveryView, frozen=True, kw_only=True):
    """A webhook delivery with its account."""

    owner: str
    """The name of the account."""


class SiteWebhook(WebhookView, frozen=True, kw_only=True):
    """A webhook with its account and what became of its deliveries within the last 30 days."""

    owner: str
    """The name of the account."""
    last_delivered_at: datetime | None
    """When an event was delivered, the last time."""
    last_failed_at: datetime | None
    """When a delivery was given up, the last time."""
    last_error: str | None
    """Why a delivery that is tried again failed, or the last one that was given up."""
    waiting: int
    """Deliveries that are still to be made; no more than 1,000 are counted."""


class WebhookSwitch(RequestBody, frozen=True, kw_only=True):
    """What to change of a webhook."""

    active: bool
    """Whether events are sent at all. The account can change this too."""


class OwnedApiKeyView(ApiKeyView, frozen=True, kw_only=True):
    """An API key with its account."""

    owner: str
    """The name of the account."""


class OwnedUploadTokenView(UploadTokenView, frozen=True, kw_only=True):
    """An upload token with its account."""

    owner: str
    """The name of the account."""


class SiteAccount(Struct, frozen=True, kw_only=True):
    """An account, for operators."""

    id: int
    """The number of the account."""
    username: str
    """The name to log in with."""
    email: str
    """The address that the account was registered with."""
    active: bool
    """Whether anybody can use it."""
    admin: bool
    """Whether it is an operator."""
    superuser: bool
    """Whether it is an operator who may change accounts."""
    last_login: datetime | None
    """When it last logged in; null before the first time."""


class SiteAccountDetail(SiteAccount, frozen=True, kw_only=True):
    """An account with what it uses and by what it can be used."""

    usage: UsageView
    """What it uses of each limited resource."""
    sessions: int
    """Logins that have not ended."""
    keys: Sequence[ApiKeyView]
    """Its API keys."""


class AccountChange(RequestBody, frozen=True, kw_only=True):
    """What to change of an account."""

    active: bool
    """Whether anybody can use it. Deactivating ends its logins; its API keys are refused meanwhile."""


class ResetAddress(Struct, frozen=True, kw_only=True):
    """An address where the owner of an account sets another password, once."""

    url: str
    """The address. Who knows it can set the password."""
    expires_at: datetime
    """When it ends."""


class DeadLetterView(Struct, frozen=True, kw_only=True):
    """A message that could not become a job."""

    id: str
    """The id of the letter."""
    route: str
    """The routing key that it was sent with."""
    sender: str | None
    """The broker's user that sent it, as the broker verified it."""
    reason: str
    """Why it was set aside."""
    message_id: str | None
    """The `message_id` of its sender."""
    size_bytes: int
    """The size of its body."""


class DeadLetterDetail(DeadLetterView, frozen=True, kw_only=True):
    """A dead letter with its content."""

    reply_to: str | None
    """Where its sender waits for a reply."""
    correlation_id: str | None
    """The `correlation_id` of its sender."""
    headers: dict[str, str]
    """Its headers."""
    body: str
    """The body as text, at most its first 20,000 characters."""


class SetAsideView(Struct, frozen=True, kw_only=True):
    """An item that is set aside for recovery: it keeps failing although the backends work."""

    id: UUID
    """The id of the image, the job or the order."""
    kind: str
    """What fails: to remove the `image`, to publish or end the `job`, to send the `reply` to an order."""
    reason: str
    """What went wrong the last time."""
    attempts: int
    """How often it was tried."""
    retry_at: datetime
    """When it is tried again."""
    created_at: datetime
    """When it was first set aside."""


class AuditView(Struct, frozen=True, kw_only=True):
    """What an operator did."""

    id: UUID
    """The id of the entry."""
    at: datetime
    """When it was done."""
    username: str
    """The operator; of a command at the shell, `cli:` and the user of the system."""
    action: str
    """What was done, such as `job.retry`."""
    subject: str
    """The id of what it was done to."""
    detail: str
    """More about it, for people."""
    request_id: str | None
    """The id of the request, which the log has too."""


class ConsistencyProgress(Struct, frozen=True, kw_only=True):
    """How far the comparison of object store and database has come."""

    objects: int
    """Objects that were read so far."""
    rows: int
    """Images that were read so far."""
    findings: int
    """Differences that were found so far."""
    done: bool
    """Whether it has ended."""
    error: str | None = None
    """Why it ended early: a backend does not answer, or the time is over."""
