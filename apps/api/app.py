"""The HTTP application."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.types import ASGIApp

from apps.api.admin import admin_route
from apps.api.console.front_door import front_door
from apps.api.console.pages import ConsolePages
from apps.api.console.session import Session
from apps.api.console.static_files import StaticFiles
from apps.api.context import context_provider
from apps.api.legacy.accounts import LegacyAccounts
from apps.api.legacy.addresses import with_legacy_addresses
from apps.api.legacy.api_images import LegacyApiImages
from apps.api.legacy.batches import LegacyBatches
from apps.api.legacy.images import LegacyImages
from apps.api.middleware import authentication
from apps.api.middleware.body_deadline import with_body_deadline
from apps.api.middleware.cors import with_cors
from apps.api.middleware.key_access import note_key_use
from apps.api.middleware.key_owners import KeyOwners
from apps.api.middleware.login_limits import LoginLimits
from apps.api.middleware.options import with_all_methods
from apps.api.middleware.query_parameters import refuse_unknown_parameters
from apps.api.middleware.rate_limits import RateLimits, RequestCounts
from apps.api.openapi.assemble import documents
from apps.api.openapi.document import asyncapi_document, openapi_config, page_assets
from apps.api.operator_context import operator_provider
from apps.api.problems import to_problem
from apps.api.responses.event_streams import EventStreams
from apps.api.routes.account_export import AccountExport
from apps.api.routes.accounts import Accounts
from apps.api.routes.api_keys import ApiKeys
from apps.api.routes.batches import Batches
from apps.api.routes.delivery_keys import DeliveryKeys
from apps.api.routes.error_pages import ErrorPages
from apps.api.routes.events import Events
from apps.api.routes.image_archive import download_archive
from apps.api.routes.image_urls import ImageUrlRoutes
from apps.api.routes.images import Images
from apps.api.routes.jobs import Jobs
from apps.api.routes.links import open_link
from apps.api.routes.operations import get_operations, preview_image
from apps.api.routes.operators import CONTROLLERS as OPERATORS
from apps.api.routes.passwords import Passwords
from apps.api.routes.presets import Presets
from apps.api.routes.search import Search
from apps.api.routes.sessions import Sessions
from apps.api.routes.thumbnails import open_thumbnail
from apps.api.routes.upload_tokens import UploadTokens
from apps.api.routes.uploads import Uploads, store_upload
from apps.api.routes.webhooks import Webhooks
from apps.api.uploads.json_request import JsonRequest
from apps.http.health import HealthChecks
from apps.http.request_log import with_request_log
from libs import __version__
from libs.backends import Backends
from libs.delivery.previews import Previews
from libs.images.duplicates import Duplicates
from libs.images.thumbnails import Thumbnails

JSON_BODY_BYTES = 1_000_000


def create_app(backends: Backends, event_streams: EventStreams, counts: RequestCounts) -> ASGIApp:
    """Assemble the API over opened backends, which the caller closes after it.

    The caller keeps `event_streams` listening, and lets `counts`, those of the rate limits, forget the past.
    """
    thumbnails, duplicates, previews = Thumbnails(backends), Duplicates(backends), Previews(backends)
    login_limits, console_files = LoginLimits(backends.settings, counts), StaticFiles()

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncGenerator[None]:
        yield
        await thumbnails.close()
        await duplicates.close()
        await previews.close()

    app = Litestar(
        route_handlers=[
            Accounts,
            ApiKeys,
            DeliveryKeys,
            Passwords,
            Sessions,
            AccountExport,
            Images,
            Uploads,
            store_upload,
            ImageUrlRoutes,
            download_archive,
            get_operations,
            preview_image,
            UploadTokens,
            Presets,
            Search,
            Jobs,
            Events,
            Batches,
            Webhooks,
            *OPERATORS,
            LegacyAccounts,
            LegacyApiImages,
            LegacyBatches,
            LegacyImages,
            HealthChecks,
            open_link,
            open_thumbnail,
            page_assets(),
            asyncapi_document,
            ErrorPages,
            front_door,
            ConsolePages,
            Session,
            admin_route(backends, thumbnails),
        ],
        dependencies={
            "backends": Provide(lambda: backends, sync_to_thread=False),
            "thumbnails": Provide(lambda: thumbnails, sync_to_thread=False),
            "searches": Provide(lambda: duplicates, sync_to_thread=False),
            "previews": Provide(lambda: previews, sync_to_thread=False),
            "event_streams": Provide(lambda: event_streams, sync_to_thread=False),
            "console_files": Provide(lambda: console_files, sync_to_thread=False),
            "login_limits": Provide(lambda: login_limits, sync_to_thread=False),
            "caller": Provide(authentication.caller),
            "context": Provide(context_provider(backends, event_streams)),
            "operator": Provide(operator_provider(backends, event_streams, thumbnails)),
        },
        before_request=refuse_unknown_parameters,
        after_response=note_key_use,
        exception_handlers={Exception: to_problem},
        middleware=[RateLimits(backends.settings, counts, KeyOwners())],
        lifespan=[lifespan],
        state=State({"public_url": backends.settings.public_url}),
        openapi_config=openapi_config(__version__, documents),
        request_class=JsonRequest,
        request_max_body_size=JSON_BODY_BYTES,
        logging_config=None,
        debug=False,
    )
    addressed = with_legacy_addresses(with_all_methods(app))
    settings = backends.settings
    limited = with_body_deadline(
        addressed, min_bytes_per_s=settings.min_body_bytes_per_s, grace_s=settings.request_head_s
    )
    return with_request_log(with_cors(limited, settings))
