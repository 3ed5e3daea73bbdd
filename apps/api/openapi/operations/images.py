"""Images, links and searches."""

from msgspec.structs import replace

from apps.api.openapi import error_groups as errors
from apps.api.openapi.described import Answer, Described, Media
from apps.api.openapi.forms import EDIT_FORM, REPLACEMENT_FORM, SEARCH_FORM, UPLOAD_FORM
from apps.api.openapi.headers import FILE, LISTED, MADE
from libs.contracts.views.images import (
    ArchiveRequest,
    Confirmation,
    EditRequest,
    ImageFromUrl,
    ImageMetadata,
    ImagePatch,
    ImagePut,
    ImageView,
    PreviewRequest,
    TransformRequest,
)
from libs.contracts.views.jobs import JobView
from libs.contracts.views.links import LinkRequest, LinkView
from libs.contracts.views.search import DuplicateGroupView, SearchRequest, SimilarView
from libs.delivery.errors import QueueFull
from libs.imaging.errors import AssetMissing
from libs.storage.direct_uploads import UploadClaimed, UploadIncomplete, UploadMismatch, UploadNotFound
from libs.storage.image_errors import ImageFailed, ImageNotReady
from libs.storage.upload_tokens import UploadTokenUsedUp

PREFERS = ("Prefer",)
MAKES = ("Prefer", "Idempotency-Key")
WAITED = ("Location", "Preference-Applied")
READS_FILE = ("Range", "If-None-Match", "If-Range")
IMAGE_FILE = Media("image/*")

QUEUED = Answer("A job that has not ended. Follow `Location`", JobView, MADE)
IN_PROGRESS = Answer("The image is not hashed yet. Follow the job in `Location`", JobView, WAITED)
CURRENT = Answer("The file is that of `If-None-Match`", None, FILE)
REDIRECT = Answer(
    "The file is at the address in `Location`, for a short time", None, ("Location", "Cache-Control")
)

SOURCE: errors.Errors = (*errors.FILE, *errors.STORE, *errors.FETCH, *errors.RENDER, *errors.ENDED_JOB)
REQUESTED: errors.Errors = (*errors.QUEUE, *errors.PIPELINE, *errors.IMAGE, *errors.PRESET)
HASHED: errors.Errors = (*errors.IMAGE, *errors.QUEUE, *errors.RENDER, *errors.ENDED_JOB, *errors.CHANGES)


def uploads(image: type[ImageView]) -> dict[int, Answer]:
    """Return the answers to an upload, with this view of the image."""
    return {
        200: Answer(
            "An image with the same bytes, which was kept already (`on_duplicate=return`)", image, MADE
        ),
        201: Answer("The image is stored, and what was requested of it is done", image, MADE),
        202: Answer(
            "A job has not ended. Follow `Location`. The body is the image, or the job that fetches it",
            (image, JobView),
            MADE,
        ),
    }


def changes(image: type[ImageView]) -> dict[int, Answer]:
    """Return the answers to a change, with this view of the image."""
    return {
        200: Answer("The changed image", image, MADE),
        202: Answer(
            "A job has not ended. Follow `Location`. The body is the image, or the job that fetches it",
            (image, JobView),
            MADE,
        ),
    }


UPLOAD_ERRORS: errors.Errors = (*SOURCE, *REQUESTED, *errors.MODEL, *errors.KEPT)
CHANGE_ERRORS: errors.Errors = (*SOURCE, *REQUESTED, *errors.MODEL, *errors.KEPT, *errors.REPLACEMENT)
DIRECT_UPLOAD: errors.Errors = (UploadNotFound, UploadClaimed, UploadIncomplete, UploadMismatch)
DELETE = Described(
    answers={200: Answer("The image is deleted", Confirmation)},
    errors=(*errors.IMAGE, *errors.DELETION, *errors.CHANGES),
)
DOWNLOAD_ERRORS: errors.Errors = (*errors.IMAGE, *errors.DOWNLOAD, *errors.CHANGES, ImageNotReady)
LINK_ERRORS: errors.Errors = (*DOWNLOAD_ERRORS, *errors.TOKEN[1:])

DOWNLOAD = Described(
    sends=READS_FILE,
    answers={
        200: Answer("The file", IMAGE_FILE, FILE),
        206: Answer("The part that `Range` asks for", IMAGE_FILE, (*FILE, "Content-Range")),
        302: REDIRECT,
        304: CURRENT,
    },
    errors=DOWNLOAD_ERRORS,
)
DOWNLOAD_HEAD = Described(
    sends=READS_FILE,
    answers={
        200: Answer("The headers of the file", None, FILE),
        206: Answer("The headers of the part that `Range` asks for", None, (*FILE, "Content-Range")),
        304: CURRENT,
    },
    errors=DOWNLOAD_ERRORS,
)

OPERATIONS = {
    "uploadImage": Described(
        form=UPLOAD_FORM,
        json=ImageFromUrl,
        sends=MAKES,
        answers=uploads(ImageView),
        errors=(*UPLOAD_ERRORS, *DIRECT_UPLOAD, UploadTokenUsedUp),
    ),
    "listImages": Described(answers={200: Answer("A page of images", list[ImageView], LISTED)}),
    "getImage": Described(answers={200: Answer("The image", ImageView)}, errors=errors.IMAGE),
    "changeImage": Described(
        form=REPLACEMENT_FORM, json=ImagePatch, sends=MAKES, answers=changes(ImageView), errors=CHANGE_ERRORS
    ),
    "replaceImage": Described(
        json=ImagePut,
        sends=PREFERS,
        answers=changes(ImageView),
        errors=(*SOURCE, *errors.IMAGE, *errors.QUEUE, *errors.REPLACEMENT),
    ),
    "deleteImage": DELETE,
    "downloadImage": DOWNLOAD,
    "checkDownload": DOWNLOAD_HEAD,
    "transformImage": Described(
        json=TransformRequest,
        sends=MAKES,
        answers={200: Answer("The completed job", JobView, MADE), 202: QUEUED},
        errors=(*REQUESTED, *errors.RENDER, *errors.ENDED_JOB, *errors.FETCH, *errors.STORE),
    ),
    "editImage": Described(
        form=EDIT_FORM,
        json=EditRequest,
        sends=MAKES,
        answers={200: Answer("The completed job", JobView, MADE), 202: QUEUED},
        errors=(*SOURCE, *REQUESTED, *errors.MODEL),
    ),
    "downloadArchive": Described(
        json=ArchiveRequest,
        answers={200: Answer("The ZIP file", Media("application/zip"), ("Content-Disposition",))},
        errors=(*errors.IMAGE, ImageFailed, ImageNotReady),
    ),
    "getOperations": Described(
        answers={
            200: Answer(
                "The schema", Media("application/schema+json", example={"title": "Darkroom's operations"})
            )
        }
    ),
    "previewImage": Described(
        json=PreviewRequest,
        answers={200: Answer("The result, or a draft of it", IMAGE_FILE)},
        errors=(
            *errors.IMAGE,
            *errors.PRESET,
            *errors.PIPELINE,
            *errors.RENDER,
            *errors.DOWNLOAD[1:],
            AssetMissing,
            QueueFull,
        ),
    ),
    "createLink": Described(
        json=LinkRequest,
        body_required=False,
        answers={201: Answer("The link", LinkView)},
        errors=(*errors.IMAGE, ImageNotReady),
    ),
    "getImageMetadata": Described(
        sends=PREFERS,
        answers={200: Answer("The findings", ImageMetadata), 202: IN_PROGRESS},
        errors=HASHED,
    ),
    "listSimilarImages": Described(
        sends=PREFERS,
        answers={200: Answer("The images, nearest first", list[SimilarView]), 202: IN_PROGRESS},
        errors=HASHED,
    ),
    "searchImages": Described(
        form=SEARCH_FORM,
        json=SearchRequest,
        sends=PREFERS,
        answers={200: Answer("The images, nearest first", list[SimilarView]), 202: IN_PROGRESS},
        errors=(*SOURCE, *errors.QUEUE),
        example={"phash": "f0e4c2d7869b1a3c", "max_distance": 10},
    ),
    "listDuplicates": Described(answers={200: Answer("A page of groups", list[DuplicateGroupView], LISTED)}),
    "openThumbnail": Described(
        sends=("If-None-Match",),
        answers={
            200: Answer("The thumbnail", IMAGE_FILE, ("ETag", "Cache-Control")),
            304: Answer("The thumbnail is that of `If-None-Match`", None, ("ETag", "Cache-Control")),
        },
        errors=(*errors.IMAGE, *errors.STORE, *errors.RENDER, *errors.TOKEN[1:]),
    ),
    "openLink": replace(DOWNLOAD, errors=LINK_ERRORS),
    "checkLink": replace(DOWNLOAD_HEAD, errors=LINK_ERRORS, answers={**DOWNLOAD_HEAD.answers, 302: REDIRECT}),
}
