"""The headers of requests and responses, by name."""

from typing import Any

REQUEST_HEADERS: dict[str, dict[str, Any]] = {
    "Prefer": {
        "description": "`wait=N` waits up to N seconds, at most 60, for the result (RFC 7240)",
        "schema": {"type": "string", "examples": ["wait=30"]},
    },
    "Idempotency-Key": {
        "description": "A key of your choice. A repetition of the request with the same key is answered with "
        "what the first one made, and makes nothing",
        "schema": {
            "type": "string",
            "minLength": 1,
            "maxLength": 255,
            "pattern": "^[ -~]*$",
            "examples": ["order-1017-photo-3"],
        },
    },
    "If-None-Match": {
        "description": "The `ETag` of the file that the client has; if that is current, the answer is 304",
        "schema": {"type": "string", "examples": ['"9a0364b9e99bb480dd25e1f0284c8555"']},
    },
    "Range": {
        "description": "The part of the file to send, in bytes; the answer is 206",
        "schema": {"type": "string", "examples": ["bytes=0-1023"]},
    },
    "If-Range": {
        "description": "The `ETag` of the file that `Range` is about; if it has changed, all of it is sent",
        "schema": {"type": "string", "examples": ['"9a0364b9e99bb480dd25e1f0284c8555"']},
    },
}

RESPONSE_HEADERS: dict[str, dict[str, Any]] = {
    "Location": {
        "description": "The address of what was made, or of the job to follow",
        "schema": {"type": "string", "format": "uri"},
        "example": "http://localhost:8000/api/jobs/019ab3c2-7f1e-7c7e-9d1a-2f6b8f3c5e01",
    },
    "Preference-Applied": {
        "description": "The wait that `Prefer` asked for and got",
        "schema": {"type": "string"},
        "example": "wait=30",
    },
    "Idempotency-Replayed": {
        "description": "`true` if the `Idempotency-Key` was used before, and this is what was made then",
        "schema": {"type": "string", "const": "true"},
        "example": "true",
    },
    "Link": {
        "description": "The address of the next page, as `rel=next` (RFC 8288); missing on the last page",
        "schema": {"type": "string"},
        "example": "<http://localhost:8000/api/images?limit=20&after=019ab3c2-7f1e-7c7e-9d1a-2f6b8f3c5e01>; "
        'rel="next"',
    },
    "X-Total-Count": {
        "description": "The number of entries on all pages",
        "schema": {"type": "integer", "minimum": 0},
        "example": 137,
    },
    "X-Total-Count-Relation": {
        "description": "`gte` if there are more entries than `X-Total-Count` says, which is at most 10,000",
        "schema": {"type": "string", "const": "gte"},
        "example": "gte",
    },
    "ETag": {
        "description": "The MD5 of the file in quotation marks",
        "schema": {"type": "string"},
        "example": '"9a0364b9e99bb480dd25e1f0284c8555"',
    },
    "Accept-Ranges": {
        "description": "Parts of the file can be requested by `Range`",
        "schema": {"type": "string", "const": "bytes"},
        "example": "bytes",
    },
    "Content-Range": {
        "description": "The part that is sent, and the size of the file; of 416, the size alone",
        "schema": {"type": "string"},
        "example": "bytes 0-1023/48213",
    },
    "Content-Disposition": {
        "description": "The name of the file (RFC 6266)",
        "schema": {"type": "string"},
        "example": 'attachment; filename="cat.jpg"',
    },
    "Cache-Control": {
        "description": "Who may keep the answer",
        "schema": {"type": "string"},
        "example": "private, no-cache",
    },
    "Allow": {
        "description": "The methods of the address",
        "schema": {"type": "string"},
        "example": "GET, HEAD, OPTIONS",
    },
    "Retry-After": {
        "description": "Seconds to wait before the next try",
        "schema": {"type": "integer", "minimum": 0},
        "example": 5,
    },
    "WWW-Authenticate": {
        "description": "How to authenticate",
        "schema": {"type": "string"},
        "example": "Bearer",
    },
    "RateLimit-Policy": {
        "description": "Requests that a minute allows, and its length in seconds",
        "schema": {"type": "string"},
        "example": "600; w=60",
    },
    "RateLimit-Limit": {
        "description": "Requests that a minute allows",
        "schema": {"type": "integer", "minimum": 0},
        "example": 600,
    },
    "RateLimit-Remaining": {
        "description": "Requests that are left in this minute",
        "schema": {"type": "integer", "minimum": 0},
        "example": 598,
    },
    "RateLimit-Reset": {
        "description": "Seconds until the next minute starts",
        "schema": {"type": "integer", "minimum": 0},
        "example": 42,
    },
    "X-Request-ID": {
        "description": "The id of the request in the log: the one that was sent, or a new one",
        "schema": {"type": "string"},
        "example": "f0f21a9aba854da1b5b40ab35fea918b",
    },
}

RATE_LIMITS = ("RateLimit-Policy", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
MADE = ("Location", "Preference-Applied", "Idempotency-Replayed")
LISTED = ("Link", "X-Total-Count")
COUNTED = (*LISTED, "X-Total-Count-Relation")
FILE = ("ETag", "Accept-Ranges", "Cache-Control", "Content-Disposition")
ONCE = ("Idempotency-Replayed",)
