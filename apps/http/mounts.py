"""Put an app below a path of another one."""

from litestar.types import ASGIApp, Receive, Scope, Send


def with_mounted(app: ASGIApp, prefix: str, mounted: ASGIApp) -> ASGIApp:
    """Return an app that answers requests below `prefix` with `mounted`, and all others with `app`."""

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        below = scope["type"] == "http" and scope["path"].startswith(prefix)
        await (mounted if below else app)(scope, receive, send)

    return dispatch
