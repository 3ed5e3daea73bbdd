"""Routes for presets."""

from typing import Annotated

from litestar import Controller, Response, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED

from apps.api.context import RequestContext
from apps.api.middleware.key_access import needs
from apps.api.openapi.document import BEARER
from apps.api.responses.lists import Limit, page_headers
from apps.api.responses.preset_views import preset_view
from libs.contracts.enums import Scope
from libs.contracts.views.presets import PresetRequest, PresetView
from libs.delivery.presets import PutPreset
from libs.delivery.presets import delete as delete_preset
from libs.delivery.presets import put as put_preset
from libs.storage import presets
from libs.storage.database.tables import BaseUser
from libs.storage.presets import PresetContent

AfterName = Annotated[str | None, QueryParameter(max_length=63)]


class Presets(Controller):
    """Presets: named operations, for requests and for addresses of images."""

    path = "/api/presets"
    tags = ("Delivery",)
    security = BEARER
    opt = needs(Scope.IMAGES_READ, Scope.IMAGES_WRITE)

    @get(operation_id="listPresets")
    async def list_presets(
        self, context: NamedDependency[RequestContext], after: AfterName = None, limit: Limit = 20
    ) -> Response[list[PresetView]]:
        """List the caller's presets by name."""
        found, total = await presets.page(context.caller.id, limit=limit, after=after)
        following = found[-1].name if found and len(found) == limit else None
        headers = page_headers(context, total=total, following=following)
        return Response([preset_view(preset) for preset in found], headers=headers)

    @get("/{name:str}", operation_id="getPreset")
    async def get_preset(self, name: FromPath[str], caller: NamedDependency[BaseUser]) -> PresetView:
        """Get one preset."""
        return preset_view(await presets.owned_by(caller.id, name))

    @put("/{name:str}", operation_id="putPreset", status_code=HTTP_200_OK)
    async def put_preset(
        self, name: FromPath[str], data: JSONBody[PresetRequest], context: NamedDependency[RequestContext]
    ) -> Response[PresetView]:
        """Create a preset, or replace all that it says.

        Its addresses give the new result from then on; what is stored of the former one is deleted. Jobs
        that were queued with the preset keep the operations that it had.
        """
        content = PresetContent(
            operations=data.operations,
            public=data.public,
            cache=data.cache,
            formats=data.formats,
            fallback=data.fallback,
        )
        command = PutPreset(owner=context.caller, name=name, content=content)
        preset, is_new = await put_preset(command, context.backends)
        return Response(preset_view(preset), status_code=HTTP_201_CREATED if is_new else HTTP_200_OK)

    @delete("/{name:str}", operation_id="deletePreset")
    async def remove(self, name: FromPath[str], context: NamedDependency[RequestContext]) -> None:
        """Delete a preset and its renditions. Its addresses answer 404 from then on."""
        await delete_preset(context.caller, name, context.backends)
