"""The whole site, for operators."""

from apps.api.middleware.operator_access import (
    CheckUnderWay,
    OperatorRequired,
    OwnAccount,
    SuperuserRequired,
)
from apps.api.openapi import error_groups as errors
from apps.api.openapi.described import Answer, Described, Media
from apps.api.openapi.headers import COUNTED
from libs.broker import BrokerUnavailable
from libs.contracts.views import operator_records as records
from libs.contracts.views import operators as views
from libs.orders.errors import DeadLetterNotFound, DeadLetterRefused
from libs.storage import (
    accounts,
    api_keys,
    jobs,
    set_aside,
    upload_tokens,
    webhook_deliveries,
    webhook_endpoints,
)

ONLY: errors.Errors = (OperatorRequired,)
EVENTS = Media("text/event-stream", 'event: overview\ndata: {"queues": [...], ...}\n\n')
JOB_EVENTS = Media("text/event-stream", 'event: running\ndata: {"timeline": [...], ...}\n\n')
FINDINGS = Media(
    "text/event-stream",
    'event: finding\ndata: {"kind": "stray", ...}\n\nevent: progress\ndata: {"done": true, ...}\n\n',
)
ACCOUNT: errors.Errors = (*ONLY, accounts.AccountNotFound)
CHANGED: errors.Errors = (*ACCOUNT, SuperuserRequired, *errors.CHANGES)
LETTERS: errors.Errors = (*ONLY, BrokerUnavailable)
LETTER: errors.Errors = (*LETTERS, DeadLetterNotFound, *errors.CHANGES)

OPERATIONS = {
    "getSiteOverview": Described(answers={200: Answer("The overview", views.SiteOverview)}, errors=ONLY),
    "streamSiteOverview": Described(
        answers={200: Answer("Events whose data is the overview", EVENTS, ("Cache-Control",))},
        errors=(*ONLY, *errors.STREAM),
    ),
    "listAllJobs": Described(
        answers={200: Answer("A page of jobs", list[views.OwnedJobView], COUNTED)}, errors=ONLY
    ),
    "getAnyJob": Described(answers={200: Answer("The job", views.JobDetail)}, errors=(*ONLY, *errors.JOB)),
    "streamAnyJob": Described(
        answers={200: Answer("Events whose data is the job", JOB_EVENTS, ("Cache-Control",))},
        errors=(*ONLY, *errors.JOB, *errors.STREAM),
    ),
    "retryAnyJob": Described(
        answers={202: Answer("The queued job", views.JobDetail)},
        errors=(*ONLY, *errors.JOB, jobs.JobNotFailed, *errors.CHANGES),
    ),
    "cancelAnyJob": Described(
        answers={200: Answer("The cancelled job", views.JobDetail)},
        errors=(*ONLY, *errors.JOB, jobs.JobEndedAlready, *errors.CHANGES),
    ),
    "listAllImages": Described(
        answers={200: Answer("A page of images", list[records.SiteImage], COUNTED)}, errors=ONLY
    ),
    "deleteAnyImage": Described(
        answers={204: Answer("Deleted")},
        errors=(*ONLY, *errors.IMAGE, *errors.DELETION, *errors.CHANGES),
    ),
    "listAllBatches": Described(
        answers={200: Answer("A page of batches", list[records.OwnedBatchView], COUNTED)}, errors=ONLY
    ),
    "getAnyBatch": Described(
        answers={200: Answer("The batch", records.OwnedBatchDetail)}, errors=(*ONLY, *errors.BATCH)
    ),
    "retryAnyBatch": Described(
        answers={202: Answer("The batch", records.OwnedBatchDetail)},
        errors=(*ONLY, *errors.BATCH, jobs.TooManyJobs, *errors.CHANGES),
    ),
    "deleteAnyBatch": Described(
        answers={204: Answer("Deleted")}, errors=(*ONLY, *errors.BATCH, *errors.CHANGES)
    ),
    "listAllDeliveries": Described(
        answers={200: Answer("A page of deliveries", list[records.OwnedDeliveryView], COUNTED)}, errors=ONLY
    ),
    "redeliverAny": Described(
        answers={202: Answer("The delivery, which waits to be sent", records.OwnedDeliveryView)},
        errors=(
            *(*ONLY, *errors.DELIVERY, *errors.CHANGES),
            *(webhook_endpoints.WebhookDisabled, webhook_deliveries.DeliveryUnderWay),
        ),
    ),
    "listAllWebhooks": Described(
        answers={200: Answer("A page of webhooks", list[records.SiteWebhook], COUNTED)}, errors=ONLY
    ),
    "switchAnyWebhook": Described(
        answers={200: Answer("The webhook", records.SiteWebhook)},
        json=records.WebhookSwitch,
        errors=(*ONLY, webhook_endpoints.WebhookNotFound, *errors.CHANGES),
    ),
    "listAccounts": Described(
        answers={200: Answer("A page of accounts", list[records.SiteAccount], COUNTED)}, errors=ONLY
    ),
    "getAnyAccount": Described(
        answers={200: Answer("The account", records.SiteAccountDetail)}, errors=ACCOUNT
    ),
    "changeAnyAccount": Described(
        answers={200: Answer("The account", records.SiteAccountDetail)},
        json=records.AccountChange,
        errors=(*CHANGED, OwnAccount),
    ),
    "createPasswordReset": Described(
        answers={200: Answer("The address", records.ResetAddress)}, errors=CHANGED
    ),
    "endAnySessions": Described(answers={204: Answer("The logins have ended")}, errors=CHANGED),
    "listAllKeys": Described(
        answers={200: Answer("A page of API keys", list[records.OwnedApiKeyView], COUNTED)}, errors=ONLY
    ),
    "revokeAnyKey": Described(
        answers={204: Answer("Revoked")}, errors=(*ONLY, api_keys.ApiKeyNotFound, *errors.CHANGES)
    ),
    "listAllUploadTokens": Described(
        answers={200: Answer("A page of upload tokens", list[records.OwnedUploadTokenView], COUNTED)},
        errors=ONLY,
    ),
    "revokeAnyUploadToken": Described(
        answers={204: Answer("Revoked")},
        errors=(*ONLY, upload_tokens.UploadTokenNotFound, *errors.CHANGES),
    ),
    "listDeadLetters": Described(
        answers={200: Answer("The dead letters", list[records.DeadLetterView])}, errors=LETTERS
    ),
    "getDeadLetter": Described(
        answers={200: Answer("The dead letter", records.DeadLetterDetail)}, errors=LETTER
    ),
    "requeueDeadLetter": Described(
        answers={204: Answer("The message was accepted")}, errors=(*LETTER, DeadLetterRefused)
    ),
    "dropDeadLetter": Described(answers={204: Answer("Deleted")}, errors=LETTER),
    "listSetAside": Described(answers={200: Answer("The items", list[records.SetAsideView])}, errors=ONLY),
    "retrySetAside": Described(
        answers={202: Answer("The item", records.SetAsideView)},
        errors=(*ONLY, set_aside.ItemNotFound, *errors.CHANGES),
    ),
    "listAuditEntries": Described(
        answers={200: Answer("A page of the audit log", list[records.AuditView], COUNTED)}, errors=ONLY
    ),
    "streamConsistency": Described(
        answers={200: Answer("Differences and progress", FINDINGS, ("Cache-Control",))},
        errors=(*ONLY, CheckUnderWay),
    ),
}
