"""What a model requires of its input files."""

from libs.imaging.edit_model_files import InputRequirements

MAX_BYTES = 50_000_000
SQUARE_MAX_BYTES = 4_000_000
SQUARE_MODEL = "dall-e-2"


def requirements_of(model: str, *, max_edge: int) -> InputRequirements:
    """Return a model's requirements; DALL-E 2, which compatible servers still offer, takes squares only."""
    if model == SQUARE_MODEL:
        return InputRequirements(square=True, max_bytes=SQUARE_MAX_BYTES, max_edge=max_edge)
    return InputRequirements(square=False, max_bytes=MAX_BYTES, max_edge=max_edge)


def is_gpt_image(model: str) -> bool:
    """Return whether this is one of OpenAI's GPT image models: more options, always base64 answers."""
    return model.startswith(("gpt-image", "chatgpt-image"))
