"""Read the fields of an edit, from JSON or a form."""

from collections.abc import Mapping
from uuid import UUID

import msgspec

from apps.api.context import RequestContext
from apps.api.middleware.key_access import require_scope
from apps.api.uploads.errors import BadUpload, field_errors
from apps.api.uploads.multipart_form import Form
from libs.contracts.decode_errors import convert_value
from libs.contracts.edits import Edit, EditFields
from libs.contracts.enums import Scope
from libs.contracts.views.images import EditRequest
from libs.jobs.admission import require_edits

NAMES = Edit.__struct_fields__
MASK = "mask"  # a stored image's id, or a file of the same form


def require_edits_of(context: RequestContext) -> None:
    """Check that the caller may edit by prompt here.

    Raises:
        ScopeMissing: The caller's key may not.
        EditsNotConfigured: No image model is configured.
    """
    require_scope(context.request, Scope.EDITS)
    require_edits(context.backends)


def edit_of(fields: EditFields | EditRequest) -> Edit | None:
    """Return the requested edit; None without a prompt."""
    if fields.prompt is None:
        return None
    return msgspec.convert({name: getattr(fields, name) for name in NAMES}, Edit)


def edit_of_form(form: Form, parts: Mapping[str, UUID]) -> Edit | None:
    """Return the edit that a form requests; `parts` are the ids under which its files are stored.

    Raises:
        BadUpload: A field is not valid.
    """
    given: dict[str, object] = {name: form.fields[name] for name in NAMES if name in form.fields}
    if MASK in parts:
        given[MASK] = parts[MASK]
    if not given:
        return None
    try:
        return edit_of(convert_value(given, EditFields, strict=False))
    except msgspec.ValidationError as error:
        raise BadUpload(str(error), field_errors(error)) from error
