"""A strict stand-in for OpenAI's images API: it checks every request, and responds as a test plans.

What breaks its rules is answered with 400, as the vendor would, and kept in `faults`.
"""

import asyncio
import base64
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any, Self

from aiohttp import BodyPartReader, web
from msgspec import Struct
from PIL import Image

from libs.contracts.edits import EditsDialect

KEY = "sk-test-0123456789"
MODEL = "gpt-image-2.6-sunburst"
MIMES = {"PNG": "image/png", "JPEG": "image/jpeg"}
REQUEST_ID = "req_0123456789"
SIZE = (96, 64)
COLOUR = (200, 30, 30)
USAGE = {
    "input_tokens": 40,
    "output_tokens": 1056,
    "total_tokens": 1096,
    "input_tokens_details": {"image_tokens": 30, "text_tokens": 10},
}

Responder = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ApiStyle(Struct, frozen=True):
    """Whose the server is: where it listens, and how it wants the key and the version of its API."""

    root: str
    version: str | None = None
    bearer: bool = True


OPENAI = ApiStyle("/v1")
AZURE_V1 = ApiStyle("/openai/v1", version="preview")
AZURE_DEPLOYMENT = ApiStyle("/openai/deployments/our-images", version="2025-04-01-preview", bearer=False)


class Sent(Struct, frozen=True):
    """A file of a form."""

    filename: str
    mime: str
    content: bytes

    @property
    def picture(self) -> Image.Image:
        picture = Image.open(BytesIO(self.content))
        picture.load()
        return picture


class Call(Struct, frozen=True):
    """One call as it arrived."""

    path: str
    fields: dict[str, str]
    files: dict[str, Sent]
    reference: str


class Broken(Exception):
    """A call that breaks a rule; the text says which."""


class OpenAIServer:
    """`calls` are all that reached it; `plays` are its next answers, then it makes images."""

    def __init__(self, model: str, style: ApiStyle, dialect: EditsDialect) -> None:
        self.model = model
        self.style = style
        self.dialect: EditsDialect = dialect
        self.calls: list[Call] = []
        self.faults: list[str] = []
        self.responders: list[Responder] = []
        self.begun = asyncio.Event()  # a call has arrived in full
        self.may_respond = asyncio.Event()  # what `held` waits for
        self.url = ""
        self._app = web.Application(client_max_size=60_000_000)
        self._app.router.add_post(f"{style.root}/images/edits", self._edits)
        self._app.router.add_post(f"{style.root}/images/generations", self._generations)

    @classmethod
    @asynccontextmanager
    async def open(
        cls, model: str = MODEL, style: ApiStyle = OPENAI, dialect: EditsDialect = "openai"
    ) -> AsyncGenerator[Self]:
        openai = cls(model, style, dialect)
        runner = web.AppRunner(openai._app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        query = f"?api-version={style.version}" if style.version else ""
        openai.url = f"http://127.0.0.1:{runner.addresses[0][1]}{style.root}{query}"
        try:
            yield openai
        finally:
            openai.may_respond.set()
            await runner.cleanup()
        assert openai.faults == []

    @property
    def settings(self) -> dict[str, str]:
        return {
            "OPENAI_API_KEY": KEY,
            "OPENAI_BASE_URL": self.url,
            "OPENAI_MODEL": self.model,
            "EDITS_DIALECT": self.dialect,
        }

    def forget(self) -> None:
        """As if nobody had called."""
        self.calls.clear()
        self.begun.clear()
        self.may_respond.clear()

    async def _edits(self, request: web.Request) -> web.StreamResponse:
        fields, files = await _form(request)
        return await self._answered(request, Call(request.path, fields, files, _reference(request)))

    async def _generations(self, request: web.Request) -> web.StreamResponse:
        body: dict[str, Any] = await request.json()
        fields = {name: str(value) for name, value in body.items()}
        return await self._answered(request, Call(request.path, fields, {}, _reference(request)))

    async def _answered(self, request: web.Request, call: Call) -> web.StreamResponse:
        self.calls.append(call)
        self.begun.set()
        try:
            self._check(request, call)
        except Broken as fault:
            self.faults.append(str(fault))
            return error(400, str(fault), code="invalid_value")
        if self.responders:
            return await self.responders.pop(0)(request)
        name = call.fields.get("output_format", "png")
        return images(int(call.fields.get("n", "1")), size=_answer_size(call), name=name)

    def _check(self, request: web.Request, call: Call) -> None:
        self._check_key(request)
        _expect(call.fields.get("model") == self.model, f"model {call.fields.get('model')}")
        _expect(bool(call.fields.get("prompt", "").strip()), "there is no prompt")
        _expect(1 <= int(call.fields.get("n", "1")) <= 10, "n is out of range")
        gpt = self.model.startswith(("gpt-image", "chatgpt-image"))
        known = {"model", "prompt", "n", "size"} | ({"quality", "background"} if gpt else {"response_format"})
        if gpt or self.dialect != "openai":
            known.add("output_format")
            formats = {"png", "jpeg"} if self.dialect == "sdcpp" else {"png", "jpeg", "webp"}
            _expect(call.fields.get("output_format") in formats, "no output_format, or another one")
        _expect(call.fields.keys() <= known, f"unknown fields {call.fields.keys() - known}")
        _expect(gpt or call.fields.get("response_format") == "b64_json", "no response_format")
        if call.path.endswith("/edits"):
            self._check_files(call, square=self.model == "dall-e-2")
        else:
            _expect(not call.files, "a generation has no files")

    def _check_key(self, request: web.Request) -> None:
        sent = (request.headers.get("authorization"), request.headers.get("api-key"))
        wanted = (f"Bearer {KEY}", None) if self.style.bearer else (None, KEY)
        _expect(sent == wanted, "the key is missing or wrong")
        version = self.style.version
        _expect(dict(request.query) == ({"api-version": version} if version else {}), "another query")

    def _check_files(self, call: Call, *, square: bool) -> None:
        _expect("image" in call.files, "there is no file `image`")
        field = "mask_image" if self.dialect == "vllm-omni" else "mask"
        _expect(call.files.keys() <= {"image", field}, f"unknown files {call.files.keys()}")
        sent = call.files["image"]
        picture = _checked(sent, limit=4_000_000 if square else 50_000_000)
        if square:
            _expect(picture.width == picture.height, f"not square: {picture.size}")
            _expect((picture.format, picture.mode) == ("PNG", "RGBA"), f"{picture.format} {picture.mode}")
        if field in call.files:
            mask = _checked(call.files[field], limit=4_000_000)
            white = self.dialect != "openai"
            mode = "L" if white else "RGBA"
            _expect((mask.format, mask.mode) == ("PNG", mode), f"mask is {mask.format} {mask.mode}")
            _expect(mask.size == picture.size, f"mask {mask.size}, image {picture.size}")
            shown = mask.point([255 - value for value in range(256)]) if white else mask.getchannel("A")
            _expect(shown.getextrema()[0] == 0, "the mask has no hole")


def images(
    count: int = 1, *, size: tuple[int, int] = SIZE, usage: bool = True, name: str = "png"
) -> web.Response:
    """A good answer: real files. No mask is obeyed, as by some servers."""
    file = BytesIO()
    Image.new("RGB", size, COLOUR).save(file, name)
    content = base64.b64encode(file.getvalue()).decode()
    return answer({"data": [{"b64_json": content}] * count, **({"usage": USAGE} if usage else {})})


def answer(body: dict[str, Any]) -> web.Response:
    return web.json_response({"created": 1_700_000_000, **body}, headers={"x-request-id": REQUEST_ID})


def error(status: int, message: str, *, code: str | None = None, **headers: str) -> web.Response:
    """An error as the vendor words it."""
    body = {"error": {"message": message, "type": "some_error", "param": None, "code": code}}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return web.json_response(body, status=status, headers=named)


def respond_with(response: Callable[[], web.StreamResponse]) -> Responder:
    async def respond(_: web.Request) -> web.StreamResponse:
        return response()

    return respond


def responds_when_released(openai: OpenAIServer) -> Responder:
    """A good answer, once the test lets it."""

    async def respond(_: web.Request) -> web.StreamResponse:
        await openai.may_respond.wait()
        return images()

    return respond


async def drop_connection(request: web.Request) -> web.StreamResponse:
    """The call arrives in full, then the connection is gone."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def break_off_response(request: web.Request) -> web.StreamResponse:
    """Half an answer."""
    response = web.StreamResponse(headers={"Content-Length": "1000", "Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(b'{"created": 1, "data": [{"b64_js')
    assert request.transport is not None
    request.transport.abort()
    return response


async def _form(request: web.Request) -> tuple[dict[str, str], dict[str, Sent]]:
    fields: dict[str, str] = {}
    files: dict[str, Sent] = {}
    async for part in await request.multipart():
        assert isinstance(part, BodyPartReader)
        assert part.name is not None
        assert part.name not in fields.keys() | files.keys(), part.name
        content = bytes(await part.read())
        if part.filename is None:
            fields[part.name] = content.decode()
        else:
            files[part.name] = Sent(part.filename, part.headers.get("Content-Type", ""), content)
    return fields, files


def _checked(sent: Sent, *, limit: int) -> Image.Image:
    """Return the picture of a file whose type is as declared and that has no metadata."""
    _expect(len(sent.content) < limit, f"{len(sent.content)} bytes")
    picture = sent.picture
    _expect(MIMES.get(picture.format or "") == sent.mime, f"{picture.format} sent as {sent.mime}")
    name = {"image/png": r"[a-z]+\.png", "image/jpeg": r"[a-z]+\.jpg"}[sent.mime]
    _expect(re.fullmatch(name, sent.filename) is not None, f"filename {sent.filename}")
    kept = {"exif", "xmp", "photoshop", "icc_profile", "comment"} & picture.info.keys()
    _expect(not kept and not picture.getexif(), f"metadata goes out: {kept}")
    _expect(b"GPS" not in sent.content and b"Exif" not in sent.content, "EXIF goes out")
    return picture


def _answer_size(call: Call) -> tuple[int, int]:
    size = re.fullmatch(r"(\d+)x(\d+)", call.fields.get("size", ""))
    return (int(size.group(1)), int(size.group(2))) if size else SIZE


def _reference(request: web.Request) -> str:
    return request.headers.get("x-client-request-id", "")


def _expect(true: bool, otherwise: str) -> None:
    if not true:
        raise Broken(otherwise)
