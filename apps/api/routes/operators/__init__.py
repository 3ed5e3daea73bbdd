"""Routes for operators of the whole site."""

from litestar import Controller

from apps.api.routes.operators.accounts import AllAccounts
from apps.api.routes.operators.consistency import Consistency
from apps.api.routes.operators.jobs import AllJobs
from apps.api.routes.operators.overview import Overviews
from apps.api.routes.operators.records import AllRecords
from apps.api.routes.operators.recovery import Recovery
from apps.api.routes.operators.upload_tokens import AllUploadTokens
from apps.api.routes.operators.webhooks import AllWebhooks

CONTROLLERS: tuple[type[Controller], ...] = (
    Overviews,
    AllJobs,
    AllRecords,
    AllWebhooks,
    AllAccounts,
    AllUploadTokens,
    Recovery,
    Consistency,
)
