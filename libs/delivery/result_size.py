"""The size that operations give an image, from its row and without its pixels."""

from collections.abc import Sequence
from typing import cast

from msgspec import Struct

from libs.backends import Backends
from libs.images.focal_point import orientation_of
from libs.imaging.formats import FormatName
from libs.imaging.limits import Limits
from libs.imaging.operations import AnyOperation
from libs.imaging.orientation import upright_size
from libs.imaging.plan import Facts, make_plan
from libs.storage.database.tables import Image


class Sizes(Struct, frozen=True):
    """The sizes of an image's results."""

    facts: Facts
    limits: Limits

    @classmethod
    async def of(cls, image: Image, backends: Backends) -> "Sizes":
        """Read what decides the sizes: the row, and the file's header while the image is not described."""
        facts = Facts(
            format=cast("FormatName", image.format),
            size=(image.width, image.height),
            frames=image.frames,
            orientation=await orientation_of(image, backends),
            mode="RGB",
            srgb=True,
        )
        return cls(facts, backends.settings.image_limits)

    @property
    def width(self) -> int:
        """The width of the upright image, in pixels."""
        return upright_size(self.facts.size, self.facts.orientation)[0]

    def of_operations(self, operations: Sequence[AnyOperation]) -> tuple[int, int] | None:
        """Return the size of a result in pixels; None if it depends on the pixels.

        Raises:
            OperationFault: The operations cannot be applied to the image.
        """
        plan = make_plan(self.facts, operations, self.limits)
        return (plan.size[0], plan.size[1]) if plan.exact else None
