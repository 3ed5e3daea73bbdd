"""Read the settings from the environment, once, at the start."""

import os
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_origin, get_type_hints

import msgspec

from libs.imaging.cmyk_profile import read_cmyk_profile
from libs.runtime.secret_files import kept_secret, new_secret
from libs.settings.fields import PREFIX, STANDARD, Settings, variable_of

NOT_SETTINGS = ("DARKROOM_TEST_", "DARKROOM_SERVICES_")  # variables of the tests and of their services
MIN_SECRET_CHARS = 32


class SettingsError(Exception):
    """The settings in the environment are invalid."""


def setting_names() -> list[str]:
    """Return the environment variables of all settings, in the order of `Settings`."""
    return [variable_of(field) for field in Settings.__struct_fields__]


def load_settings(environ: Mapping[str, str] = os.environ, *, with_secret: bool = True) -> Settings:
    """Read the settings from the environment; an empty value counts as unset.

    Args:
        environ: The environment variables.
        with_secret: Store a generated secret key in the data directory. False is for commands that sign
            nothing: their generated key is not stored.

    Raises:
        SettingsError: A name is unknown, a value is invalid, or the secret key is missing.
    """
    named = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environ.items()
        if name.startswith(PREFIX) and not name.startswith(NOT_SETTINGS)
    }
    _refuse_unknown(named)
    named |= {field: environ[name] for field, name in STANDARD.items() if name in environ}
    given = {name: value for name, value in named.items() if value != ""}
    values: dict[str, Any] = {
        name: [part.strip() for part in value.split(",")] if _is_list(name) else value
        for name, value in given.items()
    }
    data_dir = Path(given.get("data_dir", "data")).absolute()
    values["data_dir"] = str(data_dir)
    values.setdefault("database_url", f"sqlite:///{data_dir}/darkroom.sqlite")
    values.setdefault("objects_url", f"file://{data_dir}/objects")
    values.setdefault("broker_url", "memory://")
    _add_secrets(values, data_dir, with_secret=with_secret)
    if len(values["secret_key"]) < MIN_SECRET_CHARS:
        raise SettingsError(f"{PREFIX}SECRET_KEY needs at least {MIN_SECRET_CHARS} characters")
    try:
        settings = msgspec.convert(values, Settings, strict=False, dec_hook=_to_path)
    except msgspec.ValidationError as error:
        raise SettingsError(_with_variable_names(str(error))) from error
    _check_cmyk_profile(settings)
    return settings


def _check_cmyk_profile(settings: Settings) -> None:
    if settings.cmyk_profile:
        try:
            read_cmyk_profile(Path(settings.cmyk_profile))
        except (OSError, ValueError) as error:
            raise SettingsError(f"{PREFIX}CMYK_PROFILE: {error}") from error


def _to_path(_: type[Path], value: str) -> Path:
    return Path(value)


def _refuse_unknown(names: Iterable[str]) -> None:
    for name in names:
        if name not in Settings.__struct_fields__ or name in STANDARD:
            near = get_close_matches(name, Settings.__struct_fields__, n=1, cutoff=0.5)
            hint = f"; did you mean {variable_of(near[0])}?" if near else ""
            raise SettingsError(f"there is no setting {PREFIX}{name.upper()}{hint}")


def _is_list(name: str) -> bool:
    return get_origin(get_type_hints(Settings)[name]) is tuple


def _add_secrets(values: dict[str, Any], data_dir: Path, *, with_secret: bool) -> None:
    """Add missing secrets: those in the data directory, generated at the first start.

    Raises:
        SettingsError: Several processes share the jobs, so they need the same key.
    """
    alone = values["broker_url"].startswith("memory:")
    if "secret_key" not in values and with_secret and not alone:
        shared = f"is required with {PREFIX}BROKER_URL: API, worker and scheduler share it"
        raise SettingsError(f"{PREFIX}SECRET_KEY {shared}")
    if "secret_key" not in values:
        values["secret_key"] = kept_secret(data_dir / "secret.key") if with_secret else new_secret()
    if "delivery_keys" not in values and with_secret and alone:
        values["delivery_keys"] = [f"k1:{kept_secret(data_dir / 'delivery.key')}"]


def _with_variable_names(message: str) -> str:
    """Replace the field in msgspec's "Expected `int` ... - at `$.port`" with its environment variable."""
    for name in sorted(Settings.__struct_fields__, key=len, reverse=True):
        message = message.replace(f"`$.{name}", f"`{variable_of(name)}")
    return message
