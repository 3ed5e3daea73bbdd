"""The columns of a CSV file of products, found by the many names that shops give them."""

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

SERIAL, NAME, URLS = "Serial Number", "Product Name", "Input Image Urls"

_SERIALS = (
    "sno",
    "slno",
    "srno",
    "snr",
    "serialno",
    "serialnr",
    "serialnum",
    "serialnumber",
    "serial",
    "number",
)
_NAMES = "productname", "product", "name", "producttitle", "title", "productnames"
_IMAGES = "image", "images", "imageurl", "imageurls", "imagesurls", "imagelink", "imagelinks", "imagesrc"
_INPUTS = "inputimage", "inputimages", "inputimageurl", "inputimageurls", "inputurl", "inputurls"
_SPELLINGS: Mapping[str, frozenset[str]] = {
    SERIAL: frozenset((*_SERIALS, "no", "sn", "id")),
    NAME: frozenset(_NAMES),
    URLS: frozenset((*_IMAGES, *_INPUTS, "url", "urls", "link", "links", "productimageurl")),
}
_HANDLES = frozenset(["handle", "urlhandle"])  # Shopify's name of a product in its URL
_VARIANT_IMAGES = frozenset(["variantimage", "variantimageurl"])  # Shopify, beside the images of the product
_NOT_A_WORD = re.compile(r"[\W_]+")
_NUMBER = re.compile(r"\d+$")


class MissingColumn(Exception):
    """A required column is missing, or cannot be told from another."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(reason)
        self.name = name


class Columns(Struct, frozen=True, kw_only=True):
    """Positions of the columns that are used."""

    serial: int | None  # None: rows are numbered
    name: int | None
    handle: int | None
    urls: tuple[int, ...]  # in this order

    @property
    def fills_names(self) -> bool:
        """Return whether an empty name is that of the row above: a product has several rows."""
        return self.serial is None or self.handle is not None


def find_columns(header: Sequence[str]) -> tuple[Columns, list[MissingColumn]]:
    """Find the columns of a header whose cells have no surrounding blanks; return what is wrong with it, too.

    The serial number may be missing, and the name where there is a handle. `Image 1`, `Image 2`, ... are one
    list of URLs, and `Variant Image` adds to `Image Src`.
    """
    words = [_NOT_A_WORD.sub("", cell.casefold()) for cell in header]
    faults: list[MissingColumn] = []

    def one(name: str) -> int | None:
        found = [at for at, word in enumerate(words) if word in _SPELLINGS[name]]
        canonical = _NOT_A_WORD.sub("", name.casefold())
        found = [at for at in found if words[at] == canonical] or found
        if len(found) > 1:
            names = " and ".join(repr(header[at]) for at in found)
            faults.append(MissingColumn(name, f"several columns match: {names}"))
        return found[0] if found else None

    handle = next((at for at, word in enumerate(words) if word in _HANDLES), None)
    serial, name, urls = one(SERIAL), one(NAME), one(URLS)
    variants = [at for at, word in enumerate(words) if word in _VARIANT_IMAGES]
    url_columns = _numbered(words) if urls is None else [urls]
    if name is None and handle is None:
        faults.append(MissingColumn(NAME, "the column is missing"))
    if not url_columns and not variants:
        faults.append(MissingColumn(URLS, "the column is missing"))
    return Columns(serial=serial, name=name, handle=handle, urls=(*url_columns, *variants)), faults


def _numbered(words: Sequence[str]) -> list[int]:
    return [
        at
        for at, word in enumerate(words)
        if _NUMBER.search(word) and _NUMBER.sub("", word) in _SPELLINGS[URLS]
    ]
