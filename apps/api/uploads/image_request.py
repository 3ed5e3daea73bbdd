"""What is requested of an uploaded image: by the fields of its form, or by the upload token it comes with."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from msgspec import Struct
from msgspec.structs import fields

from apps.api.context import job_options
from apps.api.uploads.edit_fields import MASK, NAMES, edit_of_form
from apps.api.uploads.errors import BadUpload
from apps.api.uploads.multipart_form import Form, FormShape
from apps.api.uploads.upload_form import UploadForm
from libs.contracts import tags
from libs.contracts.decode_errors import convert_value
from libs.contracts.edits import Edit
from libs.contracts.enums import OnDuplicate, Retention
from libs.contracts.views.images import ImageFromUrl
from libs.contracts.views.request_body import PresetNames
from libs.delivery.presets import with_preset
from libs.images import watermark_sources
from libs.imaging.errors import FormatNotAccepted
from libs.imaging.header import Header
from libs.imaging.operations import AnyOperation
from libs.jobs.build import JobOptions
from libs.settings import Settings
from libs.storage import upload_tokens
from libs.storage.database.upload_tables import UploadToken
from libs.storage.idempotency import Reservation

FIELDS = (
    *("operations", "preset", "retention", "result_retention", "on_duplicate", "tags"),
    *("public", "renditions", "webhook_url", *NAMES),
)


class ImageRequest(Struct, frozen=True, kw_only=True):
    """What is requested of the image, however its bytes arrive."""

    options: JobOptions
    operations: Sequence[AnyOperation] | None = None
    edit: Edit | None = None
    retention: Retention | None = None
    result_retention: Retention | None = None
    tags: tuple[str, ...] = ()
    public: bool = False
    renditions: tuple[str, ...] = ()
    reuse: bool = False
    token: UploadToken | None = None


def form_shape(upload_form: UploadForm, token: UploadToken | None, settings: Settings) -> FormShape:
    """Return what a form may have; with an upload token, the image alone."""
    if token is not None:
        return FormShape(
            files=upload_form.image_names,
            fields=(),
            fixed=FIELDS,
            max_file_bytes=min(token.max_bytes, settings.max_upload_bytes),
        )
    return FormShape(
        files=(*upload_form.image_names, MASK),
        fields=FIELDS,
        max_file_bytes=settings.max_upload_bytes,
        named_files=upload_form.named_parts,
    )


def require_format(header: Header, token: UploadToken) -> None:
    """Refuse a file that is not of a format which the token takes.

    Raises:
        FormatNotAccepted: It is of another.
    """
    taken = token.formats.split()
    if taken and header.format not in taken:
        raise FormatNotAccepted(header.format, " or ".join(taken))


def request_of_token(token: UploadToken, reservation: Reservation | None) -> ImageRequest:
    """Return what a token fixes."""
    terms = upload_tokens.terms_of(token)
    return ImageRequest(
        options=job_options(terms.webhook_url, reservation),
        operations=terms.operations,
        retention=terms.retention,
        result_retention=terms.result_retention,
        tags=terms.tags,
        token=token,
    )


def require_upload_alone(body: ImageFromUrl) -> None:
    """Check that a body names a direct upload, and leaves the rest to the upload token.

    Raises:
        BadUpload: It does not; the errors name all fields.
    """
    others = {field.name: field.default for field in fields(ImageFromUrl)}
    others = {name: default for name, default in others.items() if name not in ("upload", "filename")}
    given = [name for name, default in others.items() if getattr(body, name) != default]
    faults = {name: f"`{name}` is fixed by the upload token" for name in given}
    if body.upload is None:
        faults["upload"] = "`upload` is missing: an upload token uploads a file"
    if faults:
        raise BadUpload(
            "; ".join(faults.values()), [{"message": text, "key": name} for name, text in faults.items()]
        )


async def request_of_json(
    body: ImageFromUrl, edit: Edit | None, reservation: Reservation | None, *, owner: int
) -> ImageRequest:
    """Return what a body asks for; `edit` is its edit.

    Raises:
        PresetNotFound: The account has no such preset.
    """
    return ImageRequest(
        options=job_options(body.webhook_url, reservation),
        operations=await with_preset(owner, body.preset, body.operations),
        edit=edit,
        retention=body.retention,
        result_retention=body.result_retention,
        tags=tags.normalised(body.tags) or (),
        public=body.public,
        renditions=body.renditions,
        reuse=body.on_duplicate == OnDuplicate.RETURN,
    )


async def request_of_form(
    form: Form,
    parts: Mapping[str, UUID],
    upload_form: UploadForm,
    reservation: Reservation | None,
    *,
    owner: int,
) -> ImageRequest:
    """Return what a form's fields ask for; `parts` are the ids under which its other files are stored.

    Raises:
        BadUpload: A field is not valid.
        PresetNotFound: The account has no such preset.
    """
    operations = await with_preset(owner, form.fields.get("preset") or None, upload_form.operations(form))
    if "result_retention" in form.fields and operations is None and "prompt" not in form.fields:
        raise BadUpload("`result_retention` needs `operations`, a `preset` or a `prompt`")
    return ImageRequest(
        options=job_options(form.fields.get("webhook_url") or None, reservation),
        operations=None if operations is None else watermark_sources.with_parts(operations, parts),
        edit=edit_of_form(form, parts),
        retention=form.choice("retention", Retention),
        result_retention=form.choice("result_retention", Retention),
        tags=form.read("tags", tags.from_text) or (),
        public=form.value("public", bool) or False,
        renditions=form.read("renditions", names_from_text) or (),
        reuse=form.choice("on_duplicate", OnDuplicate) == OnDuplicate.RETURN,
    )


def names_from_text(text: str) -> tuple[str, ...]:
    """Read the names of presets, which commas separate.

    Raises:
        ValidationError: They are too many.
    """
    return convert_value([name.strip() for name in text.split(",") if name.strip()], PresetNames)
