"""What a form says about an edit."""

from collections.abc import Mapping
from uuid import UUID

import msgspec

from apps.api.uploads.multipart_form import BadUpload, Form
from libs.backends import Backends
from libs.contracts.edits import Edit, EditFields
from libs.contracts.views.images import EditRequest
from libs.jobs.admission import EditsNotConfigured

NAMES = Edit.__struct_fields__
MASK = "mask"  # a stored image's id, or a file of the same form


def edit_of(context: EditFields | EditRequest) -> Edit | None:
    """The wish to a model, if there is one."""
    if context.prompt is None:
        return None
    return msgspec.convert({name: getattr(context, name) for name in NAMES}, Edit)


def edit_of_form(form: Form, parts: Mapping[str, UUID]) -> Edit | None:
    """The wish to a model, if there is one; `parts` are the form's files, as they were kept.

    Raises:
        BadUpload: A field is not what it may be.
    """
    given: dict[str, object] = {name: form.fields[name] for name in NAMES if name in form.fields}
    if MASK in parts:
        given[MASK] = parts[MASK]
    if not given:
        return None
    try:
        return edit_of(msgspec.convert(given, EditFields, strict=False))
    except msgspec.ValidationError as error:
        raise BadUpload(str(error)) from error


def refuse_if_off(*, wanted: bool, backends: Backends) -> None:
    """Answer at once where there is no model, before anything is stored.

    Raises:
        EditsNotConfigured: There is none, and one is wanted.
    """
    if wanted and not backends.settings.edits:
        raise EditsNotConfigured
