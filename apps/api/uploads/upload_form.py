"""The form of an upload: the names of its file, and the notation of its operations."""

from collections.abc import Callable, Collection, Mapping

import msgspec
from msgspec import Struct

from apps.api.uploads.errors import BadUpload
from apps.api.uploads.multipart_form import Form, ReceivedFile
from libs.contracts.json_text import JsonDecoder
from libs.contracts.views.request_body import Operations
from libs.images import watermark_sources

_decode_operations = JsonDecoder(msgspec.json.Decoder(Operations)).decode


class UploadForm(Struct, frozen=True, kw_only=True):
    """How a form names its image and writes its operations."""

    image_names: tuple[str, ...] = ("image",)
    read_operations: Callable[[str], Operations] = _decode_operations

    def image(self, form: Form, *, required: bool) -> ReceivedFile | None:
        """Return the form's image.

        Raises:
            BadUpload: The form has images under two names.
            MissingImage: The image is missing and required.
        """
        names = [name for name in self.image_names if name in form.files]
        if len(names) > 1:
            raise BadUpload(f"send either `{names[0]}` or `{names[1]}`")
        name = names[0] if names else self.image_names[0]
        return form.file(name) if required else form.files.get(name)

    def operations(self, form: Form) -> Operations | None:
        """Decode the field `operations`.

        Raises:
            BadUpload: It is not a list of operations.
        """
        return form.read("operations", self.read_operations)

    def named_parts(self, fields: Mapping[str, str]) -> Collection[str]:
        """Return the names of further files that the operations refer to."""
        return watermark_sources.named_parts(self.operations(Form(dict(fields), {})) or ())


UPLOAD_FORM = UploadForm()
