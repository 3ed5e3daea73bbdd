"""An example of every body: values of its type, so none can have a wrong field."""

import msgspec
from msgspec import Struct

from apps.api.openapi.examples import delivery, operations, operators
from apps.api.openapi.examples.findings import FINDINGS
from apps.api.openapi.examples.values import (
    ACCOUNT,
    API_KEY,
    BASE,
    BATCH,
    DELIVERY,
    EDIT_USAGE,
    FAILED_JOB,
    FAR,
    HOOK,
    IMAGE,
    IMAGE_ID,
    ITEM,
    JOB,
    KEY,
    LATER,
    MORNING,
    NEXT_DAY,
    OPERATIONS,
    RESULT,
    RESULT_ID,
    SECRET,
    SESSION_ID,
    TOKEN,
    TOKEN_VIEW,
    UPLOAD_ID,
    UPLOAD_TOKEN,
    WEBHOOK,
)
from libs.contracts.edits import EditTokens
from libs.contracts.enums import OnDuplicate, OnMissingImage, Retention, Scope, WebhookEvent
from libs.contracts.views import (
    accounts,
    api_keys,
    batches,
    health,
    images,
    links,
    problems,
    search,
    streams,
    upload_tokens,
    uploads,
    webhooks,
)
from libs.imaging.geometry import Focus
from libs.imaging.metadata.exif_iptc import Camera, Caption

CSV_ERROR = problems.CsvError(line=3, column="Input Image Urls", reason="the cell has no URL")
FIELD_ERROR = problems.FieldError(
    message="unknown field `widht` in operation 1 (resize); did you mean `width`?", key="operations[0]"
)
EXAMPLES: tuple[Struct, ...] = (
    ACCOUNT,
    accounts.Register(username="ada", email="ada@shop.example", password="correct horse battery"),  # noqa: S106
    accounts.Login(username="ada", password="correct horse battery", email="ada@shop.example"),  # noqa: S106
    accounts.RefreshRequest(refresh_token=TOKEN),
    accounts.SessionView(
        id=SESSION_ID,
        current=True,
        user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        created_at=MORNING,
        renewed_at=LATER,
        expires_at=NEXT_DAY,
    ),
    accounts.PasswordChange(old_password="correct horse battery", new_password="staple battery"),  # noqa: S106
    accounts.PasswordConfirmation(password="correct horse battery"),  # noqa: S106
    accounts.NewPassword(password="staple battery"),  # noqa: S106
    accounts.Tokens(access_token=TOKEN, refresh_token=TOKEN, expires_in=900),
    api_keys.ApiKeyRequest(
        name="shop",
        scopes=(Scope.IMAGES_READ, Scope.IMAGES_WRITE),
        networks=("203.0.113.0/24",),
        expires_at=FAR,
    ),
    API_KEY,
    api_keys.NewApiKey(**msgspec.structs.asdict(API_KEY), key=KEY),
    EDIT_USAGE,
    accounts.EditsView(configured=True, per_day=100, today=EDIT_USAGE, total=EDIT_USAGE),
    accounts.UsageView(
        stored_bytes=5_256_330,
        reserved_bytes=1_204_226,
        quota_bytes=10_000_000_000,
        waiting_jobs=2,
        quota_jobs=1000,
        edits=accounts.EditsView(configured=True, per_day=100, today=EDIT_USAGE, total=EDIT_USAGE),
    ),
    IMAGE,
    msgspec.structs.replace(
        RESULT, status="failed", error_code="crop_outside", error="the crop lies outside the image"
    ),
    msgspec.structs.replace(IMAGE, events_url=f"{BASE}/api/jobs/{JOB.id}/events?ticket={TOKEN}"),
    uploads.UploadRequest(filename="cat.jpg", size_bytes=1_204_226, content_type="image/jpeg", md5=IMAGE.md5),
    uploads.UploadView(
        id=UPLOAD_ID,
        url=f"{BASE}/u/{TOKEN}",
        headers={"Content-Type": "image/jpeg", "Content-MD5": "mgNkuZ6btIDdJeHwKEyFVQ=="},
        expires_at=NEXT_DAY,
    ),
    upload_tokens.UploadTokenRequest(
        max_bytes=10_000_000,
        formats=("jpeg", "png"),
        operations=OPERATIONS,
        preset="card",
        retention=Retention.KEEP,
        result_retention=Retention.KEEP,
        tags=("profile",),
        webhook_url=HOOK,
        count=3,
        expires_in=900,
    ),
    TOKEN_VIEW,
    upload_tokens.NewUploadToken(**msgspec.structs.asdict(TOKEN_VIEW), token=UPLOAD_TOKEN),
    images.TransformRequest(
        operations=OPERATIONS, preset="card", retention=Retention.EPHEMERAL, webhook_url=HOOK
    ),
    images.TransformManyRequest(
        ids=(IMAGE_ID, RESULT_ID),
        operations=OPERATIONS,
        preset="card",
        name="spring catalogue",
        on_missing_image=OnMissingImage.SKIP,
        webhook_url=HOOK,
    ),
    images.PreviewRequest(operations=OPERATIONS, preset="card", draft=True),
    images.ArchiveRequest(ids=(IMAGE_ID, RESULT_ID), version="original"),
    images.EditRequest(
        prompt="A red bicycle",
        mask=RESULT_ID,
        size="1024x1024",
        quality="high",
        n=2,
        output_format="png",
        background="opaque",
        operations=OPERATIONS,
        webhook_url=HOOK,
    ),
    images.ImageFromUrl(
        image_url="https://shop.example/cat.jpg",
        filename="cat.jpg",
        operations=OPERATIONS,
        preset="card",
        retention=Retention.KEEP,
        result_retention=Retention.EPHEMERAL,
        tags=("cat", "summer sale"),
        public=True,
        renditions=("card",),
        on_duplicate=OnDuplicate.STORE,
        webhook_url=HOOK,
    ),
    images.ImageFromUrl(
        prompt="A red bicycle",
        mask=RESULT_ID,
        size="1024x1024",
        quality="high",
        output_format="png",
        background="opaque",
    ),
    images.ImageFromUrl(upload=UPLOAD_ID, operations=OPERATIONS),
    images.ImagePatch(
        filename="cat-on-chair.jpg",
        retention=Retention.KEEP,
        tags=("cat", "chair"),
        public=True,
        image_url="https://shop.example/cat-2.jpg",
    ),
    images.ImagePatch(focus=Focus(0.4, 0.3)),
    images.ImagePut(
        image_url="https://shop.example/cat-2.jpg",
        filename="cat-2.jpg",
        retention=Retention.KEEP,
        tags=("cat",),
    ),
    FINDINGS,
    images.Confirmation(message="Record deleted successfully"),
    JOB,
    FAILED_JOB,
    BATCH,
    batches.BatchDetail(**msgspec.structs.asdict(BATCH), errors={"url_http_error": 1}, items=(ITEM,)),
    ITEM,
    links.LinkRequest(expires_in=3600),
    links.LinkView(url=f"{BASE}/d/4q0uGm0u3zGJvQ", expires_at=NEXT_DAY, expires_in=3600),
    search.SearchRequest(phash="f0e4c2d7869b1a3c"),
    search.SearchRequest(image_url="https://shop.example/cat.jpg"),
    search.SimilarView(**msgspec.structs.asdict(IMAGE), distance=3),
    search.DuplicateGroupView(
        representative=IMAGE_ID, images=(IMAGE_ID, RESULT_ID), reclaimable_bytes=48_213
    ),
    webhooks.WebhookRequest(url=HOOK, events=(WebhookEvent.JOB_COMPLETED, WebhookEvent.JOB_FAILED)),
    webhooks.WebhookPatch(active=True, url=HOOK, events=(WebhookEvent.BATCH_COMPLETED,)),
    WEBHOOK,
    webhooks.WebhookWithSecret(**msgspec.structs.asdict(WEBHOOK), secret=SECRET),
    webhooks.AccountSecret(secret=SECRET, previous_secret_until=NEXT_DAY),
    DELIVERY,
    webhooks.DeliveryWithBody(
        **msgspec.structs.asdict(DELIVERY), body='{"type":"job.completed","timestamp":"...","data":{}}'
    ),
    *DELIVERY.history,
    streams.EventTicket(
        ticket=TOKEN, url=f"{BASE}/api/jobs/{JOB.id}/events?ticket={TOKEN}", expires_at=NEXT_DAY
    ),
    health.Health(status="ok", database="ok", objects="ok", broker="ok", disk="ok", edits="on"),
    health.Liveness(status="ok"),
    problems.Problem(
        type=f"{BASE}/errors/invalid_request",
        title="Bad Request",
        status=400,
        detail=f"operations[0]: {FIELD_ERROR.message}",
        code="invalid_request",
        errors=(FIELD_ERROR,),
        faults=(CSV_ERROR,),
        request_id="f0f21a9aba854da1b5b40ab35fea918b",
    ),
    FIELD_ERROR,
    CSV_ERROR,
    FINDINGS.exif or Camera(),
    FINDINGS.iptc or Caption(),
    *(part for part in (FINDINGS.exif and FINDINGS.exif.gps, FINDINGS.edit) if part is not None),
    EditTokens(input_tokens=400, output_tokens=1056, total_tokens=1456),
    *delivery.EXAMPLES,
    *operators.EXAMPLES,
    *operations.EXAMPLES,
)
"""The first of each type is the example of a body; the others have values for fields that it leaves empty."""
