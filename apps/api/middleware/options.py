"""Complete answers to OPTIONS."""

from litestar import Litestar
from litestar.datastructures import MutableScopeHeaders
from litestar.routes import HTTPRoute
from litestar.types import ASGIApp, Message, Receive, Scope, Send


def with_all_methods(app: Litestar) -> ASGIApp:
    """Wrap `app` so that OPTIONS names every method of an address; Litestar names those of one handler."""
    allowed = {
        route.path_format: ", ".join(sorted(route.methods))
        for route in app.routes
        if isinstance(route, HTTPRoute)
    }

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "OPTIONS":
            await app(scope, receive, send)
            return

        async def send_all_methods(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableScopeHeaders.from_message(message)
                if "allow" in headers:
                    headers["allow"] = allowed.get(scope["path_template"], headers["allow"])
            await send(message)

        await app(scope, receive, send_all_methods)

    return answered
