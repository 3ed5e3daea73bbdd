"""Examples of presets and delivery keys."""

import msgspec
from msgspec import Struct

from apps.api.openapi.examples.values import DELIVERY_KEY_ID, LATER, MORNING, OPERATIONS, RESULT_ID
from libs.contracts.views import delivery_keys, presets

KEY_VIEW = delivery_keys.DeliveryKeyView(
    id=DELIVERY_KEY_ID, name="shop", key="4f9a1c2e7b3d", created_at=MORNING
)
EXAMPLES: tuple[Struct, ...] = (
    presets.PresetRequest(
        operations=OPERATIONS, public=True, cache=True, formats=("avif", "webp"), fallback=RESULT_ID
    ),
    presets.PresetView(
        name="card",
        operations=OPERATIONS,
        public=True,
        cache=True,
        formats=("avif", "webp"),
        fallback=RESULT_ID,
        created_at=MORNING,
        updated_at=LATER,
    ),
    delivery_keys.DeliveryKeyRequest(name="shop"),
    KEY_VIEW,
    delivery_keys.NewDeliveryKey(**msgspec.structs.asdict(KEY_VIEW), secret="..."),  # noqa: S106
)
