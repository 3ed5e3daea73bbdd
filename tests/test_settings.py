"""Reading the environment: every setting, and every way to get one wrong."""

from pathlib import Path
from typing import Any

import pytest

from libs.settings import (
    MIN_SECRET_CHARS,
    PREFIX,
    Settings,
    SettingsError,
    load_settings,
    setting_names,
    variable_of,
)

SECRET = "s" * MIN_SECRET_CHARS
TEXTS = {
    "fetch_user_agent": "shop-bot (mail@shop.example)",
    "database_url": "postgres://user:word@host/name",
    "objects_url": "s3://key:secret@host:9000/bucket",
    "broker_url": "amqp://host/",
    "secret_key": SECRET,
    "host": "0.0.0.0",  # noqa: S104
    "public_url": "https://images.example.org",
    "openai_api_key": "sk-1",
    "openai_base_url": "http://127.0.0.1:8080/v1",
    "openai_model": "dall-e-2",
    "fonts_dir": "/srv/fonts",
    "edits_dialect": "vllm-omni",
    "otlp_endpoint": "http://127.0.0.1:4318",
    "sentry_dsn": "http://key@127.0.0.1/1",
}


def given(tmp_path: Path, **values: str) -> dict[str, str]:
    return {"DARKROOM_DATA_DIR": str(tmp_path), **{PREFIX + name: value for name, value in values.items()}}


OTHERS: dict[str, tuple[str, Any]] = {
    "delivery_keys": (
        "k2:0123456789abcdef, k1:fedcba9876543210",
        ("k2:0123456789abcdef", "k1:fedcba9876543210"),
    ),
    "delivery_sources": ("https://shop.example/media", ("https://shop.example/media",)),
    "delivery_widths": ("100, 200", (100, 200)),
    "delivery_formats": ("webp", ("webp",)),
    "delivery_redirect": ("true", True),
    "delivery_in_api": ("true", True),
    "retention_with_operations": ("keep", "keep"),
    "job_memory_bytes": ("1000000000", 1_000_000_000),
    "data_dir": ("/srv/darkroom", Path("/srv/darkroom")),
    "registration": ("closed", "closed"),
    "cors_origins": (
        "https://a.example, http://localhost:3000",
        ("https://a.example", "http://localhost:3000"),
    ),
    "log_format": ("json", "json"),
    "worker_pools": ("edits, bulk, interactive", ("edits", "bulk", "interactive")),
    "amqp_trusted_users": ("producer, ada", ("producer", "ada")),
    "trusted_proxies": ("10.0.0.1, 10.0.0.2", ("10.0.0.1", "10.0.0.2")),
    "fetch_ports": ("80, 8080", (80, 8080)),
    "fetch_allow_networks": ("10.0.0.0/8, fd00::/8", ("10.0.0.0/8", "fd00::/8")),
    "webhook_schedule_s": ("0, 0.5, 60", (0, 0.5, 60)),
}
"""Values that are not the default, as the environment has them and as they are read."""


def another(name: str) -> tuple[str, Any]:
    """A value that is not the default, as the environment has it and as it is read."""
    if name in TEXTS:
        return TEXTS[name], TEXTS[name]
    return OTHERS.get(name, ("17", 17))


@pytest.mark.parametrize("name", Settings.__struct_fields__)
def test_each_setting_is_read_from_its_variable(name: str, tmp_path: Path) -> None:
    text, value = another(name)
    if name == "cmyk_profile":
        text = value = str(tmp_path / "cmyk.icc")
        header = bytes(16) + b"CMYK" + bytes(16) + b"acsp" + bytes(160)
        Path(text).write_bytes(len(header).to_bytes(4, "big") + header[4:])
    settings = load_settings({"DARKROOM_SECRET_KEY": SECRET, variable_of(name): text})
    assert getattr(settings, name) == value


def test_the_defaults_need_nothing_but_a_folder(tmp_path: Path) -> None:
    settings = load_settings(given(tmp_path))
    assert settings.database_url == f"sqlite:///{tmp_path}/darkroom.sqlite"
    assert settings.objects_url == f"file://{tmp_path}/objects"
    assert settings.broker_url == "memory://"
    assert settings.embedded
    assert (settings.expire_undownloaded_s, settings.expire_downloaded_s) == (86_400, 300)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("DATABSE_URL", "DATABASE_URL"),
        ("MAX_PIXEL", "MAX_PIXELS"),
        ("SECRET", "SECRET_KEY"),
        ("JOB_TIMEOUT", "JOB_TIMEOUT_S"),
    ],
)
def test_a_misspelt_name_is_refused_with_the_nearest_one(tmp_path: Path, wrong: str, right: str) -> None:
    with pytest.raises(SettingsError, match=f"no setting DARKROOM_{wrong}; did you mean DARKROOM_{right}"):
        load_settings(given(tmp_path, **{wrong: "1"}))


def test_a_misspelt_name_is_refused_although_its_value_is_empty(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="did you mean DARKROOM_MAX_PIXELS"):
        load_settings(given(tmp_path, MAX_PIXLES=""))


def test_a_name_like_no_other_is_refused_too(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no setting DARKROOM_ZZZQQQ$"):
        load_settings(given(tmp_path, ZZZQQQ="1"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FETCH_ALLOW_NETWORKS", "10.0.0.1/8"),
        ("FETCH_PORTS", "80,http"),
        ("PORT", "http"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("MAX_PIXELS", "-1"),
        ("MAX_PIXELS", "1.5"),
        ("TICK_S", "soon"),
        ("TICK_S", "0"),
        ("TICK_S", "nan"),
        ("TICK_S", "inf"),
        ("LOG_FORMAT", "xml"),
        ("WORKER_CONCURRENCY", "0"),
        ("WEBHOOK_SCHEDULE_S", "5,300"),
        ("WEBHOOK_SCHEDULE_S", "0,soon"),
    ],
)
def test_a_wrong_value_names_its_variable(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"`DARKROOM_{name}[`\\[]"):
        load_settings(given(tmp_path, **{name: value}))


def test_an_empty_value_counts_as_unset(tmp_path: Path) -> None:
    settings = load_settings(given(tmp_path, PORT="", DATABASE_URL="", TRUSTED_PROXIES=""))
    assert (settings.port, settings.trusted_proxies) == (8000, ())
    assert settings.database_url.startswith("sqlite:///")


@pytest.mark.parametrize(
    "name", ["DARKROOM_TEST_DATABASE_URL", "DARKROOM_SERVICES_DIR", "DARKROOM_SERVICES_PATH", "PORT", "DARK"]
)
def test_what_is_not_ours_or_for_tests_only_is_ignored(tmp_path: Path, name: str) -> None:
    assert load_settings(given(tmp_path) | {name: "1"}) == load_settings(given(tmp_path))


def test_alone_the_secrets_are_made_once_and_kept_private(tmp_path: Path) -> None:
    first = load_settings(given(tmp_path))
    again, other = load_settings(given(tmp_path)), load_settings(given(tmp_path / "other"))
    assert len(first.secret_key) >= MIN_SECRET_CHARS
    assert (again.secret_key, again.delivery_keys) == (first.secret_key, first.delivery_keys)
    assert other.secret_key != first.secret_key
    assert other.delivery_keys != first.delivery_keys
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir() if path.is_file()}
    assert modes == {"secret.key": 0o600, "delivery.key": 0o600}


def test_processes_that_share_jobs_must_be_given_their_secret(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="DARKROOM_SECRET_KEY is required with DARKROOM_BROKER_URL"):
        load_settings(given(tmp_path, BROKER_URL="amqp://host/"))
    assert list(tmp_path.iterdir()) == []


def test_a_short_secret_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=f"DARKROOM_SECRET_KEY needs at least {MIN_SECRET_CHARS}"):
        load_settings(given(tmp_path, SECRET_KEY=SECRET[1:]))


def test_each_field_has_one_name() -> None:
    assert setting_names() == [variable_of(field) for field in Settings.__struct_fields__]
    assert len(set(setting_names())) == len(setting_names())


def test_a_setting_with_a_standard_name_has_no_other(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no setting DARKROOM_SENTRY_DSN; did you mean SENTRY_DSN"):
        load_settings(given(tmp_path, SENTRY_DSN="http://key@127.0.0.1/1"))
