"""What parameters of paths and queries mean, by name."""

from typing import Any

from apps.api.openapi.examples import values
from apps.api.openapi.schemas import NO_LINE_BREAK

PARAMETERS: dict[str, tuple[str, Any]] = {
    "image_id": ("The id of an image", str(values.IMAGE_ID)),
    "job_id": ("The id of a job", str(values.JOB_ID)),
    "batch_id": ("The id of a batch", str(values.BATCH_ID)),
    "webhook_id": ("The id of a webhook", str(values.WEBHOOK_ID)),
    "delivery_id": ("The id of a delivery, which is sent as `webhook-id`", str(values.DELIVERY_ID)),
    "ticket": ("A ticket, instead of a header; another operation creates it", values.TOKEN),
    "session_id": ("The id of a session", str(values.SESSION_ID)),
    "originals": ("Whether the uploaded files come too", True),
    "key_id": ("The id of an API key", str(values.KEY_ID)),
    "delivery_key_id": ("The id of a delivery key", str(values.DELIVERY_KEY_ID)),
    "name": ("The name of a preset", "card"),
    "token_id": ("The id of an upload token", str(values.UPLOAD_TOKEN_ID)),
    "token": ("The end of a link's `url`", "4q0uGm0u3zGJvQ"),
    "after": ("Where the page before ended: take it from the header `Link`", str(values.IMAGE_ID)),
    "limit": ("The greatest number of entries", 20),
    "status": ("Only entries with this status", "completed"),
    "format": ("Only images of this format", "jpeg"),
    "md5": ("Only images whose bytes have this MD5, 32 hex digits", values.IMAGE.md5),
    "parent": ("Only results of this image", str(values.IMAGE_ID)),
    "filename": ("Only images with this in their name; ASCII letters in either case", "dsc_0"),
    "tags": ("Only images that have all these tags, separated by commas", "cat,summer sale"),
    "source_url": ("Only images that were fetched from exactly this URL", "https://shop.example/cat.jpg"),
    "min_size_bytes": ("Only images of at least so many bytes", 1_000_000),
    "max_size_bytes": ("Only images of at most so many bytes", 10_000_000),
    "has_alpha": ("Only described images that may, or may not, have transparent pixels", True),
    "public": ("Only images that are, or are not, public", True),
    "camera": ("Only described images with this in the name of their camera", "nikon"),
    "sort": ("The order; `-` is descending. Without it, newest first by id", "-size_bytes"),
    "created_after": (
        "Only images created after this time, in RFC 3339; UTC by default",
        "2026-11-22T00:00:00Z",
    ),
    "created_before": (
        "Only images created before this time, in RFC 3339; UTC by default",
        "2026-11-23T00:00:00Z",
    ),
    "version": (
        "`latest` is the newest result, or the image itself without one; `original` the image",
        "latest",
    ),
    "max_distance": ("The greatest number of bits in which hashes differ, of 64", 10),
    "kind": ("Only jobs of this kind", "transform"),
    "attachment": ("Whether browsers save the file instead of showing it", True),
    "in_batch": ("Only jobs that are, or are not, those of a batch", False),
    "image": ("Only jobs of this image", str(values.IMAGE_ID)),
    "event": ("Only deliveries of this event", "job.completed"),
    "webhook": ("Only deliveries to this webhook", str(values.WEBHOOK_ID)),
    "owner": ("Only entries of the account with this name", "ada"),
    "error_code": ("Only jobs that failed with this code", "url_http_error"),
    "search": ("Only accounts with this in their name or email address", "ada"),
    "active": ("Only accounts that are, or are not, active", True),
    "after_account": ("Where the page before ended: take it from the header `Link`", 7),
    "username": ("Only what this operator did", "root"),
    "action": ("Only entries of this action", "job.retry"),
    "about": ("Only entries about what has this id", str(values.JOB_ID)),
    "account_name": ("The name of an account", "ada"),
    "letter_id": ("The id of a dead letter", "4f9a1c2e7b3d"),
    "item_id": ("The id of an item that is set aside", str(values.JOB_ID)),
    "since": ("Only entries made after this time, in RFC 3339; UTC by default", "2026-11-22T00:00:00Z"),
    "subject": ("Only deliveries about this job, batch or image", str(values.JOB_ID)),
}
"""By name: a description and an example."""

OF_OPERATIONS: dict[tuple[str, str], tuple[str, Any]] = {
    ("listAllImages", "image"): ("Only the image with this id", str(values.IMAGE_ID)),
    ("listAllBatches", "status"): ("Only batches with this status", "Completed"),
    ("getAnyBatch", "status"): ("Only items with this status", "failed"),
    ("listAllDeliveries", "status"): ("Only deliveries with this status", "failed"),
    ("listAllWebhooks", "active"): ("Only webhooks that are, or are not, active", True),
    ("listBatches", "status"): ("Only batches with this status", "Completed"),
    ("getBatch", "status"): ("Only items with this status", "failed"),
    ("getBatch", "limit"): ("The greatest number of items; 0 for the batch alone", 20),
    ("listDeliveries", "status"): ("Only deliveries with this status", "delivered"),
    ("listRenditions", "after"): (
        "Where the page before ended: take it from the header `Link`",
        str(values.RESULT_ID),
    ),
    ("listPresets", "after"): ("The last name of the page before: take it from the header `Link`", "card"),
    ("listDuplicates", "after"): (
        "Where the page before ended: take it from the header `Link`",
        f"48213.{values.IMAGE_ID}",
    ),
}
"""The same, where an operation gives a name another meaning."""


def described(parameter: dict[str, Any], operation_id: str) -> dict[str, Any]:
    """Return a parameter of Litestar's document with its description and an example."""
    name = parameter["name"]
    text, example = OF_OPERATIONS.get((operation_id, name)) or PARAMETERS.get(name, ("", None))
    schema = _without_null(parameter["schema"])
    schema.pop("description", None)
    if "pattern" in schema:
        schema["pattern"] = schema["pattern"].removesuffix(NO_LINE_BREAK)
    if example is not None:
        schema["examples"] = [example]
    found = {
        "name": name,
        "in": parameter["in"],
        "required": parameter["required"],
        "schema": schema,
    }
    return {**found, "description": text} if text else found


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter's values: one that is left out is not null."""
    kinds = [kind for kind in schema.get("oneOf", []) if kind != {"type": "null"}]
    own = {name: value for name, value in schema.items() if name != "oneOf"}
    if len(kinds) == 1:
        return {**own, **kinds[0]}
    return {**own, "oneOf": kinds} if kinds else own
