"""Remove from prompts what a server takes as controls instead of words.

`sd-server` of stable-diffusion.cpp reads any of its settings from
`<sd_cpp_extra_args>{...}</sd_cpp_extra_args>` within a prompt, and some servers load a file that
`<lora:NAME:1>` names. Both are the operator's to choose.
"""

import re

_CONTROL = re.compile(r"<(?P<end>/?)sd_cpp_extra_args>|<(?:lora|lyco|hypernet):(?:[^<>]*>)?", re.IGNORECASE)


def without_controls(prompt: str) -> str:
    """Return the prompt without controls; each is replaced by a space, so that no new one comes about."""
    pieces: list[str] = []
    start = 0  # of the text that is not copied yet
    block: int | None = None  # where the contents of an open block begin
    for control in _CONTROL.finditer(prompt):
        opens, closes = control["end"] == "", control["end"] == "/"
        if block is None:
            pieces.append(prompt[start : control.start()])
            start = control.end()
            block = start if opens else None
        elif closes:
            start, block = control.end(), None
    rest = prompt[start:]
    return " ".join([*pieces, _CONTROL.sub(" ", rest) if block is not None else rest])
