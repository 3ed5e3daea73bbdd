"""Views of records of any account, for operators."""

from collections.abc import Sequence
from datetime import UTC

from msgspec import structs

from apps.api.responses.addresses import Addresses
from apps.api.responses.api_key_views import api_key_view
from apps.api.responses.batch_views import batch_view
from apps.api.responses.upload_token_views import upload_token_view
from apps.api.responses.webhook_views import delivery_view, webhook_view
from libs.contracts.views.operator_records import (
    AuditView,
    DeadLetterDetail,
    DeadLetterView,
    OwnedApiKeyView,
    OwnedBatchView,
    OwnedDeliveryView,
    OwnedUploadTokenView,
    SetAsideView,
    SiteAccount,
    SiteImage,
    SiteWebhook,
)
from libs.orders.dead_letters import Letter
from libs.storage import site_lists, webhook_outcomes
from libs.storage.database.operator_tables import AuditEntry
from libs.storage.database.tables import (
    ApiKey,
    BaseUser,
    Batch,
    Image,
    WebhookDelivery,
    WebhookEndpoint,
)
from libs.storage.database.upload_tables import UploadToken
from libs.storage.set_aside import Item

BODY_CHARS = 20_000


async def image_records(found: Sequence[Image], addresses: Addresses) -> list[SiteImage]:
    """Build the views of images."""
    names = await site_lists.names_of([image.owner for image in found])
    return [
        SiteImage(
            id=image.id,
            owner=names[image.owner],
            filename=image.filename,
            format=image.format,
            width=image.width,
            height=image.height,
            size_bytes=image.size_bytes,
            md5=image.md5,
            status=image.status,
            retention=image.retention,
            parent=image.parent,
            source_url=image.source_url,
            expires_at=image.expires_at,
            created_at=image.created_at,
            thumbnail_url=addresses.thumbnail(image),
        )
        for image in found
    ]


async def batch_records(found: Sequence[Batch], base_url: str) -> list[OwnedBatchView]:
    """Build the views of batches."""
    names = await site_lists.names_of([batch.owner for batch in found])
    return [
        OwnedBatchView(**structs.asdict(batch_view(batch, base_url)), owner=names[batch.owner])
        for batch in found
    ]


async def delivery_records(found: Sequence[WebhookDelivery]) -> list[OwnedDeliveryView]:
    """Build the views of webhook deliveries."""
    names = await site_lists.names_of([delivery.owner for delivery in found])
    return [
        OwnedDeliveryView(**structs.asdict(delivery_view(delivery)), owner=names[delivery.owner])
        for delivery in found
    ]


async def webhook_records(found: Sequence[WebhookEndpoint]) -> list[SiteWebhook]:
    """Build the views of webhooks, with what became of their deliveries."""
    names = await site_lists.names_of([endpoint.owner for endpoint in found])
    outcomes = await webhook_outcomes.of([endpoint.id for endpoint in found])
    return [
        _webhook(endpoint, names[endpoint.owner], outcomes.get(endpoint.id, webhook_outcomes.Outcome()))
        for endpoint in found
    ]


def _webhook(endpoint: WebhookEndpoint, owner: str, outcome: webhook_outcomes.Outcome) -> SiteWebhook:
    return SiteWebhook(
        **structs.asdict(webhook_view(endpoint)),
        owner=owner,
        last_delivered_at=outcome.delivered_at,
        last_failed_at=outcome.failed_at,
        last_error=outcome.error,
        waiting=outcome.waiting,
    )


async def key_records(found: Sequence[ApiKey]) -> list[OwnedApiKeyView]:
    """Build the views of API keys."""
    names = await site_lists.names_of([key.owner for key in found])
    return [OwnedApiKeyView(**structs.asdict(api_key_view(key)), owner=names[key.owner]) for key in found]


async def upload_token_records(found: Sequence[UploadToken]) -> list[OwnedUploadTokenView]:
    """Build the views of upload tokens."""
    names = await site_lists.names_of([token.owner for token in found])
    return [
        OwnedUploadTokenView(**structs.asdict(upload_token_view(token)), owner=names[token.owner])
        for token in found
    ]


def account_record(user: BaseUser) -> SiteAccount:
    """Build the view of an account."""
    return SiteAccount(
        id=user.id,
        username=user.username,
        email=user.email,
        active=user.active,
        admin=user.admin,
        superuser=user.superuser,
        last_login=user.last_login and user.last_login.replace(tzinfo=UTC),  # Piccolo's column is naive
    )


def dead_letter_view(letter: Letter) -> DeadLetterView:
    """Build the view of a dead letter, without its content."""
    return DeadLetterView(
        id=letter.id,
        route=letter.route.value,
        sender=letter.message.user_id,
        reason=letter.reason,
        message_id=letter.message.message_id,
        size_bytes=len(letter.message.body),
    )


def dead_letter_detail(letter: Letter) -> DeadLetterDetail:
    """Build the view of a dead letter with its content."""
    return DeadLetterDetail(
        **structs.asdict(dead_letter_view(letter)),
        reply_to=letter.message.reply_to,
        correlation_id=letter.message.correlation_id,
        headers=dict(letter.message.headers),
        body=letter.message.body.decode(errors="replace")[:BODY_CHARS],
    )


def set_aside_view(item: Item) -> SetAsideView:
    """Build the view of an item that is set aside."""
    return SetAsideView(**structs.asdict(item))


def audit_view(entry: AuditEntry) -> AuditView:
    """Build the view of an entry of the audit log."""
    return AuditView(
        id=entry.id,
        at=entry.created_at,
        username=entry.username,
        action=entry.action,
        subject=entry.subject,
        detail=entry.detail,
        request_id=entry.request_id,
    )
