"""Examples of what operators see."""

from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from apps.api.openapi.examples.values import (
    API_KEY,
    BASE,
    BATCH,
    BATCH_ID,
    DELIVERY,
    EDIT_USAGE,
    FAILED_JOB,
    IMAGE,
    IMAGE_ID,
    ITEM,
    JOB_ID,
    LATER,
    MORNING,
    NEXT_DAY,
    TOKEN,
    TOKEN_VIEW,
    WEBHOOK,
)
from libs.contracts.views import accounts, operators
from libs.contracts.views import operator_records as records

WORKER = "worker-1:4711"
OWNED_JOB = operators.OwnedJobView(
    **{name: getattr(FAILED_JOB, name) for name in FAILED_JOB.__struct_fields__},
    owner="ada",
    batch_id=str(BATCH_ID),
    queue="transform",
    worker=WORKER,
)
CLAIMED = operators.TimelineEntry(event="claimed", at=MORNING, worker=WORKER, attempt=1, waited_s=0.021)
FAILED = operators.TimelineEntry(
    event="failed",
    at=LATER,
    worker=WORKER,
    error_code="crop_outside",
    error="the crop lies outside the image",
    took_s=0.184,
)
QUEUE = operators.QueueView(
    queue="transform",
    kind="transform",
    priority="interactive",
    waiting=12,
    held=0,
    running=2,
    oldest_waiting_at=MORNING,
)
FAILURE = operators.FailureView(error_code="url_http_error", jobs=17)
MINUTE = operators.MinuteView(
    at=datetime(2026, 11, 22, 9, 30, tzinfo=UTC), requested=41, completed=38, failed=1, unfinished=14
)
STORED = operators.StoredView(status="ready", retention="keep", images=18_204, size_bytes=48_213_553_120)
TOTALS = operators.SiteTotals(
    accounts=31,
    open_batches=2,
    pending_deliveries=4,
    failed_deliveries=1,
    set_aside=0,
    rendition_bytes=1_204_226_000,
)

ACCOUNT = records.SiteAccount(
    id=7,
    username="ada",
    email="ada@shop.example",
    active=True,
    admin=False,
    superuser=False,
    last_login=MORNING,
)
USAGE = accounts.UsageView(
    stored_bytes=5_256_330,
    reserved_bytes=0,
    quota_bytes=10_000_000_000,
    waiting_jobs=2,
    quota_jobs=1000,
    edits=accounts.EditsView(configured=True, per_day=100, today=EDIT_USAGE, total=EDIT_USAGE),
)
LETTER = records.DeadLetterView(
    id="4f9a1c2e7b3d",
    route="transform",
    sender="shop",
    reason="bad_message: the message is not JSON",
    message_id="order-1017",
    size_bytes=212,
)
RECORDS: tuple[Struct, ...] = (
    records.SiteImage(
        id=IMAGE_ID,
        owner="ada",
        filename="cat.jpg",
        format="jpeg",
        width=6000,
        height=4000,
        size_bytes=5_208_117,
        md5=IMAGE.md5,
        status="ready",
        retention="keep",
        parent=JOB_ID,
        source_url="https://shop.example/cat.jpg",
        expires_at=NEXT_DAY,
        created_at=MORNING,
        thumbnail_url=f"{BASE}/thumbnails/{TOKEN}",
    ),
    records.OwnedBatchView(**msgspec.structs.asdict(BATCH), owner="ada"),
    records.OwnedBatchDetail(
        **msgspec.structs.asdict(BATCH), errors={"url_http_error": 1}, items=(ITEM,), owner="ada"
    ),
    records.OwnedDeliveryView(**msgspec.structs.asdict(DELIVERY), owner="ada"),
    records.SiteWebhook(
        **msgspec.structs.asdict(WEBHOOK),
        owner="ada",
        last_delivered_at=MORNING,
        last_failed_at=MORNING,
        last_error="the URL answered 503",
        waiting=3,
    ),
    records.WebhookSwitch(active=False),
    records.OwnedApiKeyView(**msgspec.structs.asdict(API_KEY), owner="ada"),
    records.OwnedUploadTokenView(**msgspec.structs.asdict(TOKEN_VIEW), owner="ada"),
    ACCOUNT,
    records.SiteAccountDetail(**msgspec.structs.asdict(ACCOUNT), usage=USAGE, sessions=1, keys=(API_KEY,)),
    records.AccountChange(active=False),
    records.ResetAddress(url=f"{BASE}/accounts/reset/{TOKEN}", expires_at=NEXT_DAY),
    LETTER,
    records.DeadLetterDetail(
        **msgspec.structs.asdict(LETTER),
        reply_to="shop.replies",
        correlation_id="order-1017",
        headers={"x-original-route": "transform"},
        body='{"type": "transform.v1", ...',
    ),
    records.SetAsideView(
        id=IMAGE_ID,
        kind="image",
        reason="the store keeps the file",
        attempts=3,
        retry_at=LATER,
        created_at=MORNING,
    ),
    records.AuditView(
        id=JOB_ID,
        at=MORNING,
        username="root",
        action="job.retry",
        subject=str(JOB_ID),
        detail="of ada",
        request_id="f0f21a9aba854da1b5b40ab35fea918b",
    ),
)

EXAMPLES: tuple[Struct, ...] = (
    OWNED_JOB,
    operators.JobDetail(
        **msgspec.structs.asdict(OWNED_JOB),
        command='{"type":"transform_image.v1", ...}',
        request_id="f0f21a9aba854da1b5b40ab35fea918b",
        not_before=LATER,
        lease_until=LATER,
        crashes=0,
        timeline=(operators.TimelineEntry(event="queued", at=MORNING), CLAIMED, FAILED),
    ),
    CLAIMED,
    FAILED,
    operators.TimelineEntry(event="retry", at=MORNING, not_before=LATER),
    operators.SiteOverview(
        at=LATER, queues=(QUEUE,), failures=(FAILURE,), minutes=(MINUTE,), stored=(STORED,), totals=TOTALS
    ),
    QUEUE,
    FAILURE,
    MINUTE,
    STORED,
    TOTALS,
    *RECORDS,
)
