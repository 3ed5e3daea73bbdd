"""Values that several examples share."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec

from libs.contracts.enums import (
    BatchStatus,
    DeliveryStatus,
    ItemStatus,
    JobKind,
    JobStatus,
    Priority,
    Retention,
    Scope,
    WebhookEvent,
)
from libs.contracts.views import accounts, api_keys, batches, images, jobs, upload_tokens, webhooks
from libs.imaging.geometry import Focus
from libs.imaging.operations import Convert, Resize

BASE = "http://localhost:8000"
HOOK = "https://shop.example/hooks/darkroom"
IMAGE_ID = UUID("019ab3c2-7f1e-7c7e-9d1a-2f6b8f3c5e01")
RESULT_ID = UUID("019ab3c2-8a40-7d0b-8c55-6e0f2a9b7d12")
JOB_ID = UUID("019ab3c2-7f20-7a51-b3c4-90d1e2f3a4b5")
BATCH_ID = UUID("019ab3d0-1c2d-7e3f-8a4b-5c6d7e8f9a0b")
WEBHOOK_ID = UUID("019ab3d4-5e6f-7a8b-9c0d-1e2f3a4b5c6d")
KEY_ID = UUID("019ab3d6-3b4c-7d5e-8f6a-7b8c9d0e1f2a")
UPLOAD_TOKEN_ID = UUID("019ab3d7-4c5d-7e6f-8a7b-8c9d0e1f2a3b")
DELIVERY_KEY_ID = UUID("019ab3d8-5d6e-7f7a-8b8c-9d0e1f2a3b4c")
UPLOAD_ID = UUID("019ab3d9-6e7f-7a8b-8c9d-0e1f2a3b4c5d")
DELIVERY_ID = UUID("019ab3d5-0a1b-7c2d-8e3f-4a5b6c7d8e9f")
SESSION_ID = UUID("019ab3da-7f8a-7b9c-8dad-0e1f2a3b4c5e")
MORNING = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
LATER = datetime(2026, 11, 22, 9, 30, 2, tzinfo=UTC)
NEXT_DAY = datetime(2026, 11, 23, 9, 30, 2, tzinfo=UTC)
FAR = datetime(2126, 11, 22, tzinfo=UTC)
KEY = "dk_4f9a1c2e7b3d_..."  # shortened, so that no scanner takes it for a key
UPLOAD_TOKEN = "dut_7b3d4f9a1c2e_..."  # noqa: S105 - shortened, as above
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - of nobody
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0.4q0uGm0u3zGJvQ"  # noqa: S105
OPERATIONS = (Resize(width=800), Convert(format="webp", quality=80))

ACCOUNT = accounts.Account(id=7, username="ada", email="ada@shop.example", last_login=MORNING, admin=False)
EDIT_USAGE = accounts.EditUsageView(
    edits=3, calls=2, images=3, input_tokens=1200, output_tokens=4160, total_tokens=5360
)
RESULT = images.ImageView(
    id=RESULT_ID,
    filename="cat.webp",
    status="completed",
    error_code=None,
    error=None,
    format="webp",
    mime="image/webp",
    width=800,
    height=533,
    frames=1,
    size_bytes=48_213,
    md5="9a0364b9e99bb480dd25e1f0284c8555",
    phash="f0e4c2d7869b1a3c",
    has_alpha=False,
    camera=None,
    blurhash=None,
    tags=(),
    public=False,
    focus=None,
    parent=IMAGE_ID,
    source_url=None,
    retention=Retention.EPHEMERAL,
    first_downloaded_at=None,
    expires_at=NEXT_DAY,
    expires_reason="24 hours after it was made, because it is ephemeral; sooner once it is downloaded",
    created_at=LATER,
    updated_at=LATER,
    url=f"{BASE}/api/images/{RESULT_ID}",
    download_url=f"{BASE}/api/images/{RESULT_ID}/download",
    thumbnail_url=f"{BASE}/thumbnails/{TOKEN}",
    job_id=JOB_ID,
    estimated_ready_at=LATER,
    seconds_remaining=0,
)
IMAGE = images.ImageView(
    id=IMAGE_ID,
    filename="cat.jpg",
    status="completed",
    error_code=None,
    error=None,
    format="jpeg",
    mime="image/jpeg",
    width=6000,
    height=4000,
    frames=1,
    size_bytes=5_208_117,
    md5="e4d909c290d0fb1ca068ffaddf22cbd0",
    phash="f0e4c2d7869b1a3c",
    has_alpha=False,
    camera="NIKON CORPORATION NIKON D750",
    blurhash="LEHV6nWB2yk8pyo0adR*.7kCMdnj",
    tags=("cat", "summer sale"),
    public=True,
    focus=Focus(0.4, 0.3),
    parent=None,
    source_url="https://shop.example/cat.jpg",
    retention=Retention.KEEP,
    first_downloaded_at=LATER,
    expires_at=None,
    expires_reason=None,
    created_at=MORNING,
    updated_at=LATER,
    url=f"{BASE}/api/images/{IMAGE_ID}",
    download_url=f"{BASE}/api/images/{IMAGE_ID}/download",
    thumbnail_url=f"{BASE}/thumbnails/{TOKEN}",
    job_id=JOB_ID,
    estimated_ready_at=LATER,
    seconds_remaining=0,
    result=RESULT,
)
JOB = jobs.JobView(
    id=JOB_ID,
    kind=JobKind.TRANSFORM,
    status=JobStatus.COMPLETED,
    image_id=IMAGE_ID,
    result_id=RESULT_ID,
    operations=OPERATIONS,
    priority=Priority.INTERACTIVE,
    attempts=1,
    error_code=None,
    error=None,
    created_at=MORNING,
    started_at=MORNING,
    finished_at=LATER,
    url=f"{BASE}/api/jobs/{JOB_ID}",
    download_url=f"{BASE}/api/images/{RESULT_ID}/download?version=original",
)
FAILED_JOB = msgspec.structs.replace(
    JOB,
    status=JobStatus.FAILED,
    error_code="crop_outside",
    error="the crop lies outside the image",
    result_id=None,
)
BATCH = batches.BatchView(
    id=BATCH_ID,
    request_id=BATCH_ID,
    filename="products.csv",
    status=BatchStatus.IN_PROCESS,
    total=120,
    completed=64,
    failed=1,
    bytes_before=310_224_108,
    bytes_after=6_120_044,
    eta_s=12.5,
    operations=OPERATIONS,
    retention=Retention.KEEP,
    public=True,
    renditions=("card",),
    webhook_url=HOOK,
    created_at=MORNING,
    started_at=LATER,
    finished_at=NEXT_DAY,
    url=f"{BASE}/api/batches/{BATCH_ID}",
    output_url=f"{BASE}/api/batches/{BATCH_ID}/output.csv",
    archive_url=f"{BASE}/api/batches/{BATCH_ID}/archive.zip",
)
ITEM = batches.ItemView(
    id=UUID("019ab3d0-2a3b-7c4d-8e5f-6a7b8c9d0e1f"),
    serial_number=1,
    product_name="Lamp",
    position=1,
    input_url="https://shop.example/lamp.jpg",
    status=ItemStatus.FAILED,
    job_id=JOB_ID,
    output_id=RESULT_ID,
    output_url=f"{BASE}/d/4q0uGm0u3zGJvQ",
    error_code="url_http_error",
    error="the server answered 404",
)
API_KEY = api_keys.ApiKeyView(
    id=KEY_ID,
    name="shop",
    prefix="dk_4f9a1c2e7b3d",
    scopes=(Scope.IMAGES_READ, Scope.IMAGES_WRITE),
    networks=("203.0.113.0/24",),
    expires_at=NEXT_DAY,
    last_used_at=LATER,
    created_at=MORNING,
)
TOKEN_VIEW = upload_tokens.UploadTokenView(
    id=UPLOAD_TOKEN_ID,
    prefix="dut_7b3d4f9a1c2e",
    max_bytes=10_000_000,
    formats=("jpeg", "png"),
    operations=OPERATIONS,
    retention=Retention.KEEP,
    result_retention=Retention.KEEP,
    tags=("profile",),
    webhook_url=HOOK,
    count=3,
    used=1,
    expires_at=NEXT_DAY,
    created_at=MORNING,
)
WEBHOOK = webhooks.WebhookView(
    id=WEBHOOK_ID,
    url=HOOK,
    events=(WebhookEvent.JOB_COMPLETED, WebhookEvent.JOB_FAILED),
    active=True,
    disabled_reason="by_owner",
    previous_secret_until=NEXT_DAY,
    created_at=MORNING,
)
DELIVERY = webhooks.DeliveryView(
    id=DELIVERY_ID,
    webhook=WEBHOOK_ID,
    url=HOOK,
    event="job.completed",
    subject=JOB_ID,
    request_id="f0f21a9aba854da1b5b40ab35fea918b",
    status=DeliveryStatus.PENDING,
    attempts=1,
    next_attempt_at=LATER,
    last_status_code=503,
    last_error="the server answered 503",
    history=(
        webhooks.DeliveryAttempt(at=MORNING, status_code=503, error="the server answered 503", took_ms=120),
    ),
    created_at=MORNING,
    finished_at=NEXT_DAY,
)
