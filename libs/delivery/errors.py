"""Errors of images by URL."""

from typing import ClassVar

from libs.contracts.outcome import Outcome


class DeliveryError(Exception):
    """An image cannot be delivered at this address."""

    code = "delivery_error"
    outcome: ClassVar[Outcome] = "refused"


class AddressInvalid(DeliveryError):
    """The address is not of the form that docs/delivery.md describes."""

    code = "address_invalid"


class StepsInvalid(DeliveryError):
    """The steps of the address are not valid operations."""

    code = "steps_invalid"


class AddressNotSigned(DeliveryError):
    """The address needs a signature: without one, only public presets of public images are served."""

    code = "address_not_signed"


class AddressSignatureInvalid(DeliveryError):
    """The signature does not fit the address, or its key is unknown or revoked."""

    code = "address_signature_invalid"


class AddressExpired(DeliveryError):
    """The address has expired: the moment of its step `exp` has passed."""

    code = "address_expired"


class WidthNotOffered(DeliveryError):
    """The width `w` is not one of `DARKROOM_DELIVERY_WIDTHS`."""

    code = "width_not_offered"


class SourceNotAllowed(DeliveryError):
    """The remote image is not below one of `DARKROOM_DELIVERY_SOURCES`."""

    code = "source_not_allowed"


class QueueFull(DeliveryError):
    """Too many images wait to be rendered. Try again later."""

    code = "delivery_queue_full"
    outcome: ClassVar[Outcome] = "transient"
