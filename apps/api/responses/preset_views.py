"""Views of presets and delivery keys."""

from collections.abc import Sequence
from typing import cast

from libs.contracts.views.delivery_keys import DeliveryKeyView
from libs.contracts.views.presets import DeliveredFormat, PresetView
from libs.storage import presets
from libs.storage.database.delivery_tables import DeliveryKey, Preset


def preset_view(preset: Preset) -> PresetView:
    """Build the view of a preset."""
    content = presets.content_of(preset)
    return PresetView(
        name=preset.name,
        operations=content.operations,
        public=content.public,
        cache=content.cache,
        formats=cast("Sequence[DeliveredFormat]", content.formats),
        fallback=content.fallback,
        created_at=preset.created_at,
        updated_at=preset.updated_at,
    )


def delivery_key_view(key: DeliveryKey) -> DeliveryKeyView:
    """Build the view of a key, without its secret."""
    return DeliveryKeyView(id=key.id, name=key.name, key=key.key_id, created_at=key.created_at)
