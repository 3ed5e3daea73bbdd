"""Dominant colours of images."""

from PIL import Image

from libs.imaging.dominant_colours import dominant_colours


def test_dominant_colours_are_sorted_by_frequency() -> None:
    image = Image.new("RGBA", (100, 100), (255, 0, 0, 255))
    image.paste((0, 0, 255, 255), (0, 0, 30, 100))
    image.paste((0, 255, 0, 0), (90, 0, 100, 100))
    assert dominant_colours(image)[:2] == ("#ff0000", "#0000ff")
    assert dominant_colours(Image.new("RGBA", (5, 5))) == ()
    assert dominant_colours(Image.new("RGB", (5, 5), "#102030")) == ("#102030",)
