"""What a server takes as controls is removed from prompts."""

import random
import time

import pytest

from libs.edits.prompt_controls import without_controls


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("a red door", "a red door"),
        ("  two\n lines ", "  two\n lines "),
        ("1 < 2 and <b>bold</b> <lora>", "1 < 2 and <b>bold</b> <lora>"),
        ('a door <sd_cpp_extra_args>{"seed": 1}</sd_cpp_extra_args> in red', "a door   in red"),
        ("a<sd_cpp_extra_args>{\n}</sd_cpp_extra_args>b", "a b"),
        ("a <SD_cpp_Extra_Args>{}</sd_cpp_extra_args>", "a  "),
        ("<sd_cpp_extra_args>1</sd_cpp_extra_args>a<sd_cpp_extra_args>2</sd_cpp_extra_args>", " a "),
        ("a <sd_cpp_extra_args> b", "a   b"),
        ("a </sd_cpp_extra_args> b", "a   b"),
        ("a door <lora:../../secret:1.0>, red", "a door  , red"),
    ],
)
def test_controls_are_removed_and_words_stay(prompt: str, words: str) -> None:
    assert without_controls(prompt) == words


def test_no_control_is_left_or_comes_about_however_they_are_nested() -> None:
    pieces = ["<sd_cpp_", "extra_args>", "<sd_cpp_extra_args>", "</sd_cpp_extra_args>", "</", "<", ">", "<lo"]
    pieces += ["ra:", "<lora:", "x", " ", "{}", "\n", "<hypernet:y>", "SD_CPP_EXTRA_ARGS>"]
    source = random.Random(5)  # noqa: S311
    for _ in range(5000):
        cleaned = without_controls("".join(source.choices(pieces, k=source.randrange(1, 14))))
        for control in ("<sd_cpp_extra_args>", "</sd_cpp_extra_args>", "<lora:", "<hypernet:"):
            assert control not in cleaned.lower()


@pytest.mark.parametrize(
    "piece", ["<sd_cpp_extra_args>", "</sd_cpp_extra_args><sd_cpp_extra_args>", "<lora:", "<", "<lora:x"]
)
def test_the_longest_prompt_takes_no_time(piece: str) -> None:
    started = time.process_time()
    without_controls((piece * 32_000)[:32_000])
    assert time.process_time() - started < 1
