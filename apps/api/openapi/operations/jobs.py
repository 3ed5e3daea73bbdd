"""Jobs."""

from apps.api.openapi import error_groups as errors
from apps.api.openapi.described import Answer, Described, Media
from apps.api.openapi.headers import LISTED
from libs.contracts.views.jobs import JobView
from libs.contracts.views.streams import EventTicket
from libs.storage import jobs

EVENTS = Media("text/event-stream", 'event: completed\ndata: {"status": "completed", ...}\n\n')

OPERATIONS = {
    "listJobs": Described(answers={200: Answer("A page of jobs", list[JobView], LISTED)}),
    "getJob": Described(answers={200: Answer("The job", JobView)}, errors=errors.JOB),
    "cancelJob": Described(
        answers={200: Answer("The cancelled job", JobView)},
        errors=(*errors.JOB, jobs.JobEndedAlready, *errors.CHANGES),
    ),
    "streamJob": Described(
        answers={
            200: Answer("Events named after the status, whose data is the job", EVENTS, ("Cache-Control",)),
            204: Answer("The client has received the last event"),
        },
        errors=(*errors.JOB, *errors.STREAM),
    ),
    "createJobTicket": Described(answers={201: Answer("The ticket", EventTicket)}, errors=errors.JOB),
}
