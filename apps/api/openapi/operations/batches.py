"""Batches of URLs and of stored images."""

from apps.api.openapi import error_groups as errors
from apps.api.openapi.described import Answer, Described, Media
from apps.api.openapi.forms import BATCH_FORM
from apps.api.openapi.headers import LISTED
from apps.api.uploads.errors import UnsupportedMediaType
from libs.batches.csv_file import BadCsv
from libs.contracts.views.batches import BatchDetail, BatchView
from libs.contracts.views.images import TransformManyRequest
from libs.contracts.views.streams import EventTicket
from libs.storage import jobs
from libs.storage.image_errors import QuotaExceeded

EVENTS = Media("text/event-stream", 'event: completed\ndata: {"status": "Completed", ...}\n\n')
CSV = Media(
    "text/csv", "S. No.,Product Name,Input Image Urls,Output Image Urls\n1,Lamp,https://...,https://...\n"
)
ZIP = Media("application/zip")
FILE = ("Content-Disposition", "Cache-Control")
QUEUED = ("Location", "Idempotency-Replayed")
LIMITS: errors.Errors = (jobs.TooManyJobs, QuotaExceeded, *errors.PIPELINE, *errors.CHANGES)
REFERRED: errors.Errors = (*errors.IMAGE, *errors.PRESET, *errors.KEPT)

OPERATIONS = {
    "createBatch": Described(
        form=BATCH_FORM,
        sends=("Idempotency-Key",),
        answers={202: Answer("The new batch", BatchView, QUEUED)},
        errors=(*LIMITS, BadCsv, UnsupportedMediaType, *REFERRED, *errors.STORE, *errors.FETCH),
    ),
    "transformImages": Described(
        json=TransformManyRequest,
        sends=("Idempotency-Key",),
        answers={202: Answer("The new batch", BatchView, QUEUED)},
        errors=(*LIMITS, *errors.IMAGE, *errors.PRESET, *errors.FETCH),
    ),
    "listBatches": Described(answers={200: Answer("A page of batches", list[BatchView], LISTED)}),
    "getBatch": Described(
        answers={200: Answer("The batch and a page of its items", BatchDetail, LISTED)}, errors=errors.BATCH
    ),
    "downloadBatchOutput": Described(answers={200: Answer("A CSV file", CSV, FILE)}, errors=errors.BATCH),
    "downloadBatchArchive": Described(
        answers={200: Answer("A ZIP file", ZIP, FILE)}, errors=(*errors.BATCH, *errors.STORE)
    ),
    "streamBatch": Described(
        answers={
            200: Answer("Events named after the status, whose data is the batch", EVENTS, ("Cache-Control",)),
            204: Answer("The client has received the last event"),
        },
        errors=(*errors.BATCH, *errors.STREAM),
    ),
    "createBatchTicket": Described(answers={201: Answer("The ticket", EventTicket)}, errors=errors.BATCH),
    "retryBatch": Described(
        sends=("Idempotency-Key",),
        answers={202: Answer("The batch", BatchView, QUEUED)},
        errors=(*errors.BATCH, *LIMITS),
    ),
    "deleteBatch": Described(
        answers={204: Answer("The batch is deleted")},
        errors=(*errors.BATCH, *errors.DELETION, *errors.CHANGES),
    ),
}
