"""What a model requires of its input files."""

from libs.imaging.edit_model_files import InputRequirements, MaskStyle

MAX_BYTES = 50_000_000
SQUARE_MAX_BYTES = 4_000_000
SQUARE_MODEL = "dall-e-2"


def requirements_of(model: str, *, max_edge: int, mask_style: MaskStyle = "transparent") -> InputRequirements:
    """Return a model's requirements; DALL-E 2, which compatible servers still offer, takes squares only."""
    square = model == SQUARE_MODEL
    max_bytes = SQUARE_MAX_BYTES if square else MAX_BYTES
    return InputRequirements(square=square, max_bytes=max_bytes, max_edge=max_edge, mask_style=mask_style)


def is_gpt_image(model: str) -> bool:
    """Return whether this is one of OpenAI's GPT image models: more options, always base64 answers."""
    return model.startswith(("gpt-image", "chatgpt-image"))
