"""Views of upload tokens."""

from typing import cast

from libs.auth.upload_tokens import FORM
from libs.contracts.views.upload_tokens import UploadTokenView
from libs.imaging.formats import FormatName
from libs.storage import upload_tokens
from libs.storage.database.upload_tables import UploadToken


def upload_token_view(token: UploadToken) -> UploadTokenView:
    """Build the view of a token, without the token itself."""
    terms = upload_tokens.terms_of(token)
    return UploadTokenView(
        id=token.id,
        prefix=f"{FORM.prefix}{token.token_id}",
        max_bytes=token.max_bytes,
        formats=cast("list[FormatName]", token.formats.split()) or None,
        operations=terms.operations,
        retention=terms.retention,
        result_retention=terms.result_retention,
        tags=terms.tags,
        webhook_url=terms.webhook_url,
        count=token.allowed,
        used=token.used,
        expires_at=token.expires_at,
        created_at=token.created_at,
    )
