"""Signing of webhook bodies as Standard Webhooks 1.0 defines it."""

from collections.abc import Sequence
from datetime import datetime

from standardwebhooks import Webhook


def signed_headers(message_id: str, body: str, secrets: Sequence[str], *, at: datetime) -> dict[str, str]:
    """Return the id, timestamp and signature headers of a body.

    Each secret adds a signature, and a receiver accepts any one of them.

    Args:
        message_id: The same for every attempt.
        body: The exact text that is sent.
        secrets: The valid secrets, as Standard Webhooks writes them.
        at: The time of the attempt, in UTC.
    """
    signatures = [Webhook(secret).sign(message_id, at, body) for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
