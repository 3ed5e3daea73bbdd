"""All settings, read once from the environment and passed down."""

from libs.settings.fields import PREFIX, Settings, WorkerPoolName, variable_of
from libs.settings.load import MIN_SECRET_CHARS, SettingsError, load_settings, setting_names

__all__ = [
    "MIN_SECRET_CHARS",
    "PREFIX",
    "Settings",
    "SettingsError",
    "WorkerPoolName",
    "load_settings",
    "setting_names",
    "variable_of",
]
