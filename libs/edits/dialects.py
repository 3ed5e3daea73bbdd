"""How servers with OpenAI's images API differ from OpenAI's own.

Sources: https://docs.vllm.ai/projects/vllm-omni/en/latest/serving/image_edit_api/, and `api.md` and
`routes_openai.cpp` in `examples/server` of https://github.com/leejet/stable-diffusion.cpp.
"""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec import Struct

from libs.contracts.edits import EditsDialect
from libs.edits.model_requirements import is_gpt_image
from libs.imaging.edit_model_files import MaskStyle
from libs.imaging.formats import FormatName

OutputFormat: TypeAlias = Literal["png", "jpeg", "webp"]


class Dialect(Struct, frozen=True, kw_only=True):
    """What a server expects."""

    mask_field: Literal["mask", "mask_image"] = "mask"
    mask_style: MaskStyle = "transparent"
    output_formats: tuple[OutputFormat, ...] = ("png", "jpeg", "webp")
    only_gpt_images: bool = False  # only OpenAI's GPT image models take `output_format`

    def output_format(self, model: str, requested: FormatName) -> OutputFormat | None:
        """Return the format to request of a model; None if it does not take the field."""
        if self.only_gpt_images and not is_gpt_image(model):
            return None
        return requested if requested in self.output_formats else "png"


DIALECTS: Mapping[EditsDialect, Dialect] = {
    "openai": Dialect(only_gpt_images=True),
    "vllm-omni": Dialect(mask_field="mask_image", mask_style="white"),
    "sdcpp": Dialect(mask_style="white", output_formats=("png", "jpeg")),
}
