"""Open a JPEG with Pillow, and nothing but its first picture."""

from PIL.JpegImagePlugin import JpegImageFile


class JpegReader(JpegImageFile):
    """A JPEG whose EXIF is not read for the resolution, which fails for some EXIF; `resolution` reads it.

    Pillow's own choice of the class would also look for further pictures in the file.
    """

    def _read_dpi_from_exif(self) -> None:
        pass
