"""Addresses and their signatures, compared with an independent computation."""

import base64
import hashlib
import hmac
from string import ascii_letters
from uuid import UUID

import pytest

from libs.delivery.address import Address, is_signature, parse_address, sign
from libs.delivery.errors import AddressInvalid

SECRET = "a secret of at least sixteen characters: ß"
ID = "019ab3c0-1234-7abc-8def-0123456789ab"


def signature(signed: str, *, bits: int = 256) -> str:
    digest = hmac.new(SECRET.encode(), signed.encode(), hashlib.sha256).digest()[: bits // 8]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def test_a_signature_is_the_hmac_of_steps_and_image() -> None:
    assert sign(SECRET, f"/w_300/{ID}") == signature(f"/w_300/{ID}")


@pytest.mark.parametrize("bits", [128, 160, 256])
def test_at_least_half_of_the_signature_opens_an_address_and_less_does_not(bits: int) -> None:
    address = parse_address(f"/t/k1.{signature(f'/w_300/{ID}', bits=bits)}/w_300/{ID}~D41D8CD9.WEBP")
    assert address == Address(
        key_id="k1",
        signature=address.signature,
        steps="w_300",
        source=UUID(ID),
        signed=f"/w_300/{ID}",
        version="d41d8cd9",
        format="webp",
    )
    assert is_signature(SECRET, address.signed, address.signature)
    assert not is_signature(SECRET, address.signed, address.signature[:21])
    assert not is_signature(SECRET + "x", address.signed, address.signature)
    assert not is_signature(SECRET, f"/w_301/{ID}", address.signature)


@pytest.mark.parametrize("characters", range(22, 44))
def test_a_signature_can_be_cut_as_text_and_no_other_last_character_fits(characters: int) -> None:
    signed = f"/w_300/{ID}"
    text, digits = signature(signed)[:characters], ascii_letters + "0123456789-_"
    fitting = {digit for digit in digits if is_signature(SECRET, signed, text[:-1] + digit)}
    of_bytes = signature(signed, bits=characters * 6 // 8 * 8)
    assert fitting == {text[-1], of_bytes[-1] if len(of_bytes) == characters else text[-1]}


def test_a_remote_url_is_base64url_with_or_without_padding() -> None:
    url = "https://shop.example/a b.jpg?size=1&ü=%2F"
    encoded = base64.urlsafe_b64encode(url.encode()).decode()
    for text in (encoded, encoded.rstrip("=")):
        assert parse_address(f"/t/k1.{signature('/')}/w_9/url.{text}.avif").source == url


def test_separators_that_a_client_has_encoded_can_be_read_as_if_it_had_not() -> None:
    plain = parse_address(f"/t/-/w_9,h_9:grayscale/{ID}~d41d8cd9")
    encoded = parse_address(f"/t/-/w_9%2Ch_9%3agrayscale/{ID}%7Ed41d8cd9")
    assert encoded != plain
    assert encoded.with_plain_separators() == plain


@pytest.mark.parametrize(
    "path",
    [
        "/t/",
        f"/t/-/w_9/{ID}/",
        f"/t//w_9/{ID}",
        f"/t/-//{ID}",
        f"/t/-/w_9/{ID}.exe",
        f"/t/-/w_9/{ID}~xyz",
        f"/t/k1/w_9/{ID}",
        f"/t/k1.!/w_9/{ID}",
        "/t/-/w_9/not-an-id",
        "/t/-/w_9/url.",
        "/t/-/w_9/url.%%%",
        "/t/-/w_9/url._w",
        "/t/-/w_9/" + "a" * 9000,
    ],
)
def test_other_forms_are_refused(path: str) -> None:
    with pytest.raises(AddressInvalid):
        parse_address(path)
