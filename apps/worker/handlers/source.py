"""The stored image that a job starts from."""

from libs.contracts.commands import DescribeImage, EditImage, RenderRenditions, TransformImage
from libs.storage import image_errors, images
from libs.storage.database.tables import Image


async def source_image(command: TransformImage | DescribeImage | EditImage | RenderRenditions) -> Image:
    """Return the source's row.

    Raises:
        ImageNotFound: It is gone.
    """
    assert command.source is not None, "the job has a source"  # noqa: S101
    image = await images.by_id(command.source.image_id)
    if image is None:
        raise image_errors.ImageNotFound(f"there is no image {command.source.image_id}")
    return image
