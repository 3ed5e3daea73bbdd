"""Examples of presets and delivery keys."""

import msgspec
from msgspec import Struct

from apps.api.openapi.examples.values import (
    BASE,
    DELIVERY_KEY_ID,
    IMAGE_ID,
    LATER,
    MORNING,
    OPERATIONS,
    RESULT_ID,
)
from libs.contracts.views import delivery_keys, image_urls, presets

KEY_VIEW = delivery_keys.DeliveryKeyView(
    id=DELIVERY_KEY_ID, name="shop", key="4f9a1c2e7b3d", created_at=MORNING
)
ADDRESS = f"{BASE}/t/-/card/{IMAGE_ID}~e4d909c2"
WEBP = image_urls.FormatUrls(
    format="webp", type="image/webp", url=f"{ADDRESS}.webp", srcset=f"{ADDRESS}.webp?w=256 256w"
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
    image_urls.UrlsRequest(
        steps="w_600,h_400,fit_cover",
        widths=(256, 384),
        formats=("avif", "webp"),
        expires_in=86_400,
        alt="A cat",
        sizes="(max-width: 600px) 100vw, 600px",
    ),
    image_urls.UrlsRequest(preset="card"),
    image_urls.UrlsRequest(operations=OPERATIONS),
    image_urls.ImageUrls(
        url=ADDRESS,
        urls=(WEBP,),
        srcset=f"{ADDRESS}?w=256 256w, {ADDRESS} 600w",
        picture=f'<picture><img src="{ADDRESS}.webp" width="600" height="400" alt="A cat"></picture>',
        steps="resize,width_600,height_400,fit_cover",
        width=600,
        height=400,
    ),
    WEBP,
    image_urls.RenditionView(
        id=RESULT_ID,
        preset="card",
        format="webp",
        width=600,
        height=400,
        size_bytes=30_412,
        created_at=MORNING,
        last_used_at=LATER,
    ),
    delivery_keys.DeliveryKeyRequest(name="shop"),
    KEY_VIEW,
    delivery_keys.NewDeliveryKey(**msgspec.structs.asdict(KEY_VIEW), secret="..."),  # noqa: S106
)
