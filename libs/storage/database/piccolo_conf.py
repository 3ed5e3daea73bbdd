"""What Piccolo asks for by this name; `database.bind` sets `DB` before any query runs."""

from piccolo.conf.apps import AppRegistry

from libs.storage.database.engine import Engine

DB: Engine | None = None

APP_REGISTRY = AppRegistry(
    apps=[
        "piccolo.apps.user.piccolo_app",
        "piccolo_api.session_auth.piccolo_app",
        "libs.storage.database.piccolo_app",
    ]
)
