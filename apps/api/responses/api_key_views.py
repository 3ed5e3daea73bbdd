"""Views of API keys."""

from libs.auth.api_keys import PREFIX
from libs.contracts.enums import Scope
from libs.contracts.views.api_keys import ApiKeyView
from libs.storage.database.tables import ApiKey


def api_key_view(key: ApiKey) -> ApiKeyView:
    """Build the view of a key, without the key itself."""
    return ApiKeyView(
        id=key.id,
        name=key.name,
        prefix=f"{PREFIX}{key.key_id}",
        scopes=[Scope(scope) for scope in key.scopes.split()],
        networks=key.networks.split(),
        expires_at=key.expires_at,
        last_used_at=key.last_used_at,
        created_at=key.created_at,
    )
