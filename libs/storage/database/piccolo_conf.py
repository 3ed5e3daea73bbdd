"""Piccolo's configuration, a module that Piccolo imports; `connection.bind` sets `DB`."""

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
