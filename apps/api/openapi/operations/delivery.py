"""Images by URL: presets, and keys that sign addresses."""

from apps.api.openapi import error_groups as errors
from apps.api.openapi.described import Answer, Described
from apps.api.openapi.headers import LISTED
from libs.contracts.views.delivery_keys import DeliveryKeyRequest, DeliveryKeyView, NewDeliveryKey
from libs.contracts.views.image_urls import ImageUrls, RenditionView, UrlsRequest
from libs.contracts.views.presets import PresetRequest, PresetView
from libs.delivery.errors import StepsInvalid, WidthNotOffered
from libs.imaging.errors import AssetMissing, OperationFault
from libs.storage import delivery_keys, presets
from libs.storage.image_errors import ImageNotKept

OPERATIONS = {
    "listPresets": Described(answers={200: Answer("A page of presets", list[PresetView], LISTED)}),
    "getPreset": Described(answers={200: Answer("The preset", PresetView)}, errors=errors.PRESET),
    "putPreset": Described(
        json=PresetRequest,
        answers={
            200: Answer("The preset, which is replaced", PresetView),
            201: Answer("The preset, which is new", PresetView),
        },
        errors=(
            presets.PresetNameInvalid,
            presets.TooManyPresets,
            *errors.PIPELINE,
            *errors.IMAGE,
            AssetMissing,
            ImageNotKept,
        ),
    ),
    "deletePreset": Described(
        answers={204: Answer("The preset is deleted")}, errors=(*errors.PRESET, *errors.CHANGES)
    ),
    "createImageUrls": Described(
        json=UrlsRequest,
        answers={200: Answer("The addresses", ImageUrls)},
        errors=(
            *errors.IMAGE,
            *errors.PRESET,
            *errors.PIPELINE,
            *errors.DOWNLOAD[1:],
            AssetMissing,
            ImageNotKept,
            StepsInvalid,
            WidthNotOffered,
            OperationFault,
            delivery_keys.TooManyDeliveryKeys,
        ),
    ),
    "listRenditions": Described(
        answers={200: Answer("A page of renditions", list[RenditionView], LISTED)}, errors=errors.IMAGE
    ),
    "deleteRenditions": Described(
        answers={204: Answer("The renditions are deleted")}, errors=(*errors.IMAGE, *errors.CHANGES)
    ),
    "createDeliveryKey": Described(
        json=DeliveryKeyRequest,
        answers={201: Answer("The key, whose secret no other answer shows", NewDeliveryKey)},
        errors=(delivery_keys.TooManyDeliveryKeys,),
    ),
    "listDeliveryKeys": Described(
        answers={200: Answer("The keys", list[DeliveryKeyView], ("X-Total-Count",))}
    ),
    "revokeDeliveryKey": Described(
        answers={204: Answer("The key is revoked")},
        errors=(delivery_keys.DeliveryKeyNotFound, *errors.CHANGES),
    ),
}
