"""What single models want of the pictures that they are sent."""

from libs.imaging.edit_model_files import InputRequirements

MAX_BYTES = 50_000_000
SQUARE_MAX_BYTES = 4_000_000
SQUARE_MODEL = "dall-e-2"


def demands_of(model: str, *, max_edge: int) -> InputRequirements:
    """What to make of a source; DALL-E 2, which compatible servers still offer, knows squares only."""
    if model == SQUARE_MODEL:
        return InputRequirements(square=True, max_bytes=SQUARE_MAX_BYTES, max_edge=max_edge)
    return InputRequirements(square=False, max_bytes=MAX_BYTES, max_edge=max_edge)


def is_gpt_image(model: str) -> bool:
    """Whether it is one of the vendor's own: they take more options, and always answer in base64."""
    return model.startswith(("gpt-image", "chatgpt-image"))
