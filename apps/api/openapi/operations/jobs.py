"""Jobs."""

from apps.api.openapi import error_groups as errors
from apps.api.openapi.described import Answer, Described, Media
from apps.api.openapi.headers import LISTED
from libs.contracts.views.jobs import JobView
from libs.contracts.views.streams import EventTicket
from libs.storage import jobs
from libs.storage.edit_calls import DailyEditsUsed

EVENTS = Media("text/event-stream", 'event: completed\ndata: {"status": "completed", ...}\n\n')
ALL_EVENTS = Media(
    "text/event-stream",
    'event: job\ndata: {"status": "running", ...}\n\nevent: state\ndata: {"state": "ready"}\n\n',
)

OPERATIONS = {
    "listJobs": Described(answers={200: Answer("A page of jobs", list[JobView], LISTED)}),
    "getJob": Described(answers={200: Answer("The job", JobView)}, errors=errors.JOB),
    "cancelJob": Described(
        answers={200: Answer("The cancelled job", JobView)},
        errors=(*errors.JOB, jobs.JobEndedAlready, *errors.CHANGES),
    ),
    "retryJob": Described(
        answers={202: Answer("The queued job", JobView, ("Location",))},
        errors=(*errors.JOB, jobs.JobNotFailed, jobs.TooManyJobs, DailyEditsUsed, *errors.CHANGES),
    ),
    "streamAll": Described(
        answers={200: Answer("Events that show jobs and batches", ALL_EVENTS, ("Cache-Control",))},
        errors=errors.STREAM,
    ),
    "createAllTicket": Described(answers={201: Answer("The ticket", EventTicket)}),
    "streamJob": Described(
        answers={
            200: Answer("Events named after the status, whose data is the job", EVENTS, ("Cache-Control",)),
            204: Answer("The client has received the last event"),
        },
        errors=(*errors.JOB, *errors.STREAM),
    ),
    "createJobTicket": Described(answers={201: Answer("The ticket", EventTicket)}, errors=errors.JOB),
}
