"""Write the secrets that docker-compose.yml needs: .env, and RabbitMQ's users with hashed passwords.

Values that .env has already stay. Needs the standard library only.
"""

import secrets
from pathlib import Path

from infra.rabbitmq import render

ROOT = Path(__file__).resolve().parents[1]
SECRET_BYTES = 32
NAMES = {"MINIO_ROOT_USER": "darkroom-root", "MINIO_DARKROOM_KEY": "darkroom"}  # not secret


def variable_of(user: str) -> str:
    """Return the name of the variable with the password of a RabbitMQ user."""
    return f"RABBITMQ_{user.upper()}_PASSWORD"


def names() -> list[str]:
    """Return the names of all variables that are written to .env."""
    fixed = ["DARKROOM_SECRET_KEY", "DELIVERY_SECRET", "POSTGRES_PASSWORD"]
    fixed += ["MINIO_ROOT_PASSWORD", "MINIO_DARKROOM_SECRET"]
    return [*fixed, *NAMES, *map(variable_of, render.users())]


def write(folder: Path) -> None:
    """Add missing variables to `folder/.env`, and write `folder/.secrets/definitions.json` from it."""
    env = folder / ".env"
    known = _read(env)
    missing = {
        name: NAMES.get(name) or secrets.token_hex(SECRET_BYTES) for name in names() if not known.get(name)
    }
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


def _read(env: Path) -> dict[str, str]:
    if not env.exists():
        return {}
    lines = [line for line in env.read_text().splitlines() if "=" in line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


if __name__ == "__main__":
    write(ROOT)
    print(f"secrets are in {ROOT / '.env'}")
