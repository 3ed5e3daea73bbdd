"""Routes of the export of an account."""

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Stream
from litestar.status_codes import HTTP_201_CREATED

from apps.api.context import RequestContext
from apps.api.middleware.stream_access import ticket_for
from apps.api.openapi.document import LOGIN
from apps.api.responses.account_export import account_entries
from apps.api.responses.files import attachment
from apps.api.responses.stream_tickets import new_ticket
from libs.auth.stream_tickets import EXPORT
from libs.contracts.views.streams import EventTicket
from libs.runtime.zip_stream import zip_stream


class AccountExport(Controller):
    """All that an account has, in one file."""

    path = "/accounts/me/export"
    tags = ("Accounts",)
    security = LOGIN

    @get(operation_id="exportAccount", media_type="application/zip", opt=ticket_for(EXPORT))
    async def export(
        self,
        context: NamedDependency[RequestContext],
        originals: FromQuery[bool] = False,
        ticket: FromQuery[str | None] = None,
    ) -> Stream:
        """Download the records of the account in a ZIP file, as JSON lines without secrets.

        It has the images, jobs, batches, presets, webhooks and API keys as the API shows them, and with
        `originals` all uploaded files. It starts no image's expiry. `ticket` takes the place of a header, for
        browsers.
        """
        content = zip_stream(account_entries(context, originals=originals))
        return attachment(content, f"{context.caller.username}.zip", "application/zip")

    @post("/ticket", operation_id="createExportTicket", status_code=HTTP_201_CREATED)
    async def ticket(self, context: NamedDependency[RequestContext]) -> EventTicket:
        """Create a ticket that downloads the export for ten minutes, without a header."""
        return new_ticket(EXPORT, context)
