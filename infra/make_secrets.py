"""Write the secrets that docker-compose.yml needs: .env, and the users of RabbitMQ and of the store.

Values that .env has already stay. Needs the standard library only.
"""

import json
import secrets
from pathlib import Path

from infra.rabbitmq import render

ROOT = Path(__file__).resolve().parents[1]
SECRET_BYTES = 32
NAMES = {"MINIO_ROOT_USER": "darkroom-root", "STORE_KEY": "darkroom"}  # not secret
BUCKET = "darkroom"
OF_MINIO = "MINIO_DARKROOM_SECRET"  # which .env has from when MinIO was the only store
KEEP_MINIO = {
    "COMPOSE_PROFILES": "minio",
    "STORE_HOST": "minio:9000",
    "FILES_URL": "http://localhost:9000",
}


def variable_of(user: str) -> str:
    """Return the name of the variable with the password of a RabbitMQ user."""
    return f"RABBITMQ_{user.upper()}_PASSWORD"


def names() -> list[str]:
    """Return the names of all variables that are written to .env."""
    fixed = ["DARKROOM_SECRET_KEY", "DELIVERY_SECRET", "POSTGRES_PASSWORD"]
    fixed += ["MINIO_ROOT_PASSWORD", "STORE_SECRET"]
    return [*fixed, *NAMES, *map(variable_of, render.users())]


def write(folder: Path) -> None:
    """Add missing variables to `folder/.env`, and write the users of broker and store to `folder/.secrets`.

    Where MinIO was the store, it stays so.
    """
    env = folder / ".env"
    known = _read(env)
    missing = {
        name: NAMES.get(name) or secrets.token_hex(SECRET_BYTES) for name in names() if not known.get(name)
    }
    if OF_MINIO in known and "STORE_SECRET" in missing:
        missing |= {name: value for name, value in KEEP_MINIO.items() if name not in known}
    if missing or not env.exists():
        env.touch(mode=0o600)
        text = env.read_text()
        start = text if text.endswith("\n") or not text else f"{text}\n"
        env.write_text(start + "".join(f"{name}={value}\n" for name, value in missing.items()))
    known |= missing
    definitions = folder / ".secrets" / "definitions.json"
    definitions.parent.mkdir(exist_ok=True)
    # Not private: the broker's user in its container reads it, and it has only hashes of random passwords.
    definitions.write_text(render.render({user: known[variable_of(user)] for user in render.users()}))
    (definitions.parent / "s3.json").write_text(json.dumps(_store_users(known), indent=2))


def _store_users(known: dict[str, str]) -> dict[str, object]:
    """Return SeaweedFS's users: one, who has one bucket."""
    credentials = [{"accessKey": known["STORE_KEY"], "secretKey": known["STORE_SECRET"]}]
    actions = [f"{action}:{BUCKET}" for action in ("Read", "Write", "List", "Tagging")]
    return {"identities": [{"name": BUCKET, "credentials": credentials, "actions": actions}]}


def _read(env: Path) -> dict[str, str]:
    if not env.exists():
        return {}
    lines = [line for line in env.read_text().splitlines() if "=" in line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


if __name__ == "__main__":
    write(ROOT)
    print(f"secrets are in {ROOT / '.env'}")
