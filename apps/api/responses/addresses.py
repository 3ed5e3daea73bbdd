"""The addresses in a view of an image."""

from msgspec import Struct

from libs.auth.links import sign_thumbnail
from libs.storage.database.tables import Image

THUMBNAILS = "/thumbnails"


class Addresses(Struct, frozen=True):
    """Makes the addresses of images on this server."""

    base_url: str
    secret_key: str

    def image(self, image: Image) -> str:
        """Return the address of an image's record."""
        return f"{self.base_url}/api/images/{image.id}"

    def thumbnail(self, image: Image) -> str:
        """Return the address of an image's thumbnail, which opens without a token for a day or two."""
        return f"{self.base_url}{THUMBNAILS}/{sign_thumbnail(self.secret_key, image.id, image.md5)}"
