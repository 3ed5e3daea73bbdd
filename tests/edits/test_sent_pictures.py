"""What an edit sends to the model: the picture, the mask, and nothing that must stay here."""

import pytest
from PIL import Image, ImageChops

from tests.edits.conftest import ON_ONE_EDIT_SITE, EditSite, NewEditSite
from tests.edits.edit_requests import (
    PROMPT,
    WAIT,
    edit,
    edited,
    file,
    form,
    mask,
    near,
    picture_of,
    pixels,
    rgb,
    stored,
    used,
)
from tests.edits.openai_server import (
    COLOUR,
    SIZE,
)


async def test_place_and_camera_do_not_leave_the_house_and_the_picture_goes_out_upright(
    edit_site: EditSite,
) -> None:
    upright = pixels((100, 60))
    exif = Image.Exif()
    exif[0x0110] = "Camera of somebody"
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (48.0, 51.0, 29.0)
    lying = upright.transpose(Image.Transpose.ROTATE_90)
    content = file(lying, "JPEG", exif=exif, comment=b"at home", quality=95)
    assert b"Camera of somebody" in content
    await edited(edit_site.client, await stored(edit_site.client, content))
    sent = edit_site.openai.calls[0].files["image"]
    assert sent.picture.size == upright.size
    assert all(near(sent.picture, at, rgb(upright, at)) for at in ((5, 5), (95, 5), (5, 55)))
    assert b"somebody" not in sent.content
    assert b"at home" not in sent.content


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "GIF", "AVIF", "TIFF", "BMP"])
async def test_every_format_can_be_edited_and_comes_back_as_itself(edit_site: EditSite, name: str) -> None:
    content = file(pixels(), name)
    job = await edited(edit_site.client, await stored(edit_site.client, content))
    made = await picture_of(edit_site.client, job["result_id"])
    assert (made.format, made.size) == (name, SIZE)
    assert edit_site.openai.calls[0].files["image"].mime == "image/jpeg"
    assert near(made, (40, 30), COLOUR)


async def test_what_is_clear_goes_out_as_png_and_one_frame_of_an_animation(edit_site: EditSite) -> None:
    frames = [pixels(mode="RGBA", colour=colour) for colour in ("navy", "red")]
    frames[0].putalpha(90)
    content = file(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    await edited(edit_site.client, await stored(edit_site.client, content))
    sent = edit_site.openai.calls[0].files["image"]
    assert (sent.mime, sent.picture.mode) == ("image/png", "RGBA")
    assert sent.picture.getchannel("A").getextrema() == (90, 90)


@pytest.mark.parametrize("by", ["file", "id"])
async def test_the_mask_is_scaled_to_the_picture_and_its_clear_part_is_the_hole(
    edit_site: EditSite, by: str
) -> None:
    source = await stored(edit_site.client, file(pixels((400, 300))))
    if by == "id":
        answer = await edit(edit_site.client, source, mask=await stored(edit_site.client, mask()))
    else:
        answer = await edit_site.client.post(
            f"/api/images/{source}/edit", data=form(prompt=PROMPT, mask=mask()), headers=WAIT
        )
    assert answer.status == 200, answer
    sent = edit_site.openai.calls[0].files["mask"].picture
    assert sent.size == edit_site.openai.calls[0].files["image"].picture.size == (256, 192)
    alpha = sent.getchannel("A")
    made = await picture_of(edit_site.client, answer.json["result_id"])
    assert (made.format, made.size) == ("PNG", (400, 300))
    kept = (201, 0, 400, 300)  # the hole is the left half; the server has painted over all
    assert (
        ImageChops.difference(made.convert("RGB").crop(kept), pixels((400, 300)).crop(kept)).getbbox() is None
    )
    assert rgb(made, (100, 200)) == COLOUR
    assert alpha.getpixel((10, 100)) == 0
    assert alpha.getpixel((250, 100)) == 255
    assert abs(alpha.histogram()[0] / (256 * 192) - 0.5) < 0.01
    assert sum(alpha.histogram()[1:255]) == 0


async def test_a_prompt_of_controls_alone_costs_no_call(new_edit_client: EditSite) -> None:
    source = await stored(new_edit_client.client)
    controls = '<sd_cpp_extra_args>{"seed": 1}</sd_cpp_extra_args>'
    answer = await edit(new_edit_client.client, source, prompt=controls)
    assert (answer.status, answer.code) == (422, "edit_rejected"), answer
    assert new_edit_client.openai.calls == []
    job = await edited(new_edit_client.client, source, prompt=f"a door {controls}")
    assert new_edit_client.openai.calls[0].fields["prompt"].split() == ["a", "door"]
    told = (await new_edit_client.client.get(f"/api/images/{job['result_id']}/metadata")).json
    assert told["edit"]["prompt"] == f"a door {controls}"


async def test_a_mask_may_come_along_with_the_upload(edit_site: EditSite) -> None:
    parts = form(prompt=PROMPT, image=file(pixels()), mask=mask())
    answer = await edit_site.client.post("/api/images", data=parts, headers=WAIT)
    assert answer.status == 201, answer
    assert edit_site.openai.calls[0].files.keys() == {"image", "mask"}


async def test_a_mask_that_is_clear_nowhere_costs_no_call(new_edit_client: EditSite) -> None:
    source = await stored(new_edit_client.client)
    for content in (file(pixels()), file(pixels(mode="RGBA"))):
        answer = await edit(
            new_edit_client.client, source, mask=await stored(new_edit_client.client, content)
        )
        assert (answer.status, answer.code) == (422, "mask_without_hole")
    assert new_edit_client.openai.calls == []
    assert (await used(new_edit_client.client))["today"]["calls"] == 0


@ON_ONE_EDIT_SITE
async def test_dall_e_2_gets_a_square_and_its_bars_are_cut_off_again(new_edit_site: NewEditSite) -> None:
    edit_site = await new_edit_site(model="dall-e-2")
    source = await stored(edit_site.client, file(pixels((200, 100)), "JPEG"))
    job = await edited(
        edit_site.client, source, size="256x256", mask=await stored(edit_site.client, mask()), quality="high"
    )
    (call,) = edit_site.openai.calls
    sent, hole = call.files["image"].picture, call.files["mask"].picture.getchannel("A")
    assert sent.size == (200, 200)
    assert sent.getpixel((100, 20)) == (0, 0, 0, 255)  # a bar, opaque
    assert near(sent, (20, 60), (255, 215, 0))
    assert [hole.getpixel(at) for at in ((20, 20), (20, 100), (180, 100))] == [255, 0, 255]
    made = await picture_of(edit_site.client, job["result_id"])
    assert (made.format, made.size) == ("JPEG", (200, 100))  # with a mask, the size of the source
    assert near(made, (20, 40), COLOUR)
    assert near(made, (150, 60), rgb(pixels((200, 100)), (150, 60)))
