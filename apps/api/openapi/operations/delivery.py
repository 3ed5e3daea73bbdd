"""Images by URL: presets, and keys that sign addresses."""

from apps.api.openapi import error_groups as errors
from apps.api.openapi.described import Answer, Described
from apps.api.openapi.headers import LISTED
from libs.contracts.views.delivery_keys import DeliveryKeyRequest, DeliveryKeyView, NewDeliveryKey
from libs.contracts.views.presets import PresetRequest, PresetView
from libs.imaging.errors import AssetMissing
from libs.storage import delivery_keys, presets
from libs.storage.image_errors import ImageNotKept

PRESET: errors.Errors = (presets.PresetNotFound,)

OPERATIONS = {
    "listPresets": Described(answers={200: Answer("A page of presets", list[PresetView], LISTED)}),
    "getPreset": Described(answers={200: Answer("The preset", PresetView)}, errors=PRESET),
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
        answers={204: Answer("The preset is deleted")}, errors=(*PRESET, *errors.CHANGES)
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
