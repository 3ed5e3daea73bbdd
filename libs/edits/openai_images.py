"""OpenAI's images API, and every server that speaks it.

A call costs money, so it is made once: the client's own retries are off, and no redirect is followed. Each
call opens its own connection: a reused one that the server is closing would look like a call that ran.
"""

import asyncio
import base64
import binascii
from collections.abc import Generator
from contextlib import contextmanager
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import httpx2
import openai
from openai.types import Image, ImagesResponse

from libs.contracts.edits import EditTokens
from libs.edits.dialects import Dialect
from libs.edits.errors import EditBadResponse, EditTimedOut, EditUnavailable
from libs.edits.model_call import CallOptions, InputFile, ModelAnswer, OutputImage
from libs.edits.model_requirements import is_gpt_image, requirements_of
from libs.edits.prompt_controls import without_controls
from libs.edits.vendor_errors import to_edit_error
from libs.runtime.threads import PARSING

CONNECT_TIMEOUT_S = 10.0
NO_ANSWER = "it may have run and been paid for, so it is not made again"


class OpenAIImages:
    """A client of the API; enter it before a call."""

    def __init__(
        self, *, api_key: str, base_url: str, model: str, timeout_s: float, max_edge: int, dialect: Dialect
    ) -> None:
        self._model = model
        self._timeout_s = timeout_s
        self._dialect = dialect
        self.requirements = requirements_of(model, max_edge=max_edge, mask_style=dialect.mask_style)
        http = httpx2.AsyncClient(
            timeout=httpx2.Timeout(timeout_s, connect=min(CONNECT_TIMEOUT_S, timeout_s)),
            limits=httpx2.Limits(max_keepalive_connections=0),
            follow_redirects=False,
        )
        self._client = _client(api_key, base_url, http)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()

    async def edit(
        self,
        source: InputFile | None,
        mask: InputFile | None,
        prompt: str,
        options: CallOptions,
        *,
        reference: str,
    ) -> ModelAnswer:
        """Edit `source` in the hole of `mask`, or everywhere; without a source, make new images.

        Args:
            source: A file that meets `requirements`.
            mask: A PNG of the source's size, in the style of `requirements`.
            prompt: What to make or change; controls within it are not sent.
            options: The options that the model does not know are left out.
            reference: An id that the vendor logs with the call.

        Raises:
            EditError: One of its subclasses; `not_run` says whether the call may be made again.
        """
        prompt = without_controls(prompt)
        with _our_errors(self._timeout_s):
            async with asyncio.timeout(self._timeout_s):
                if source is None:
                    response = await self._generate(prompt, options, reference)
                else:
                    response = await self._edit(source, mask, prompt, options, reference)
        return await PARSING.run(_answer, response, self._model, options.n)

    async def _edit(
        self, source: InputFile, mask: InputFile | None, prompt: str, options: CallOptions, reference: str
    ) -> object:
        """Post the form. The field of the mask has another name in some dialects, so it is built here."""
        files = [("image", _part(source))]
        if mask is not None:
            files.append((self._dialect.mask_field, _part(mask)))
        return await self._client.post(
            "/images/edits",
            cast_to=ImagesResponse,
            body={"prompt": prompt, **self._fields(options)},
            files=files,
            options={"headers": {"Content-Type": "multipart/form-data", **_headers(reference)}},
        )

    async def _generate(self, prompt: str, options: CallOptions, reference: str) -> object:
        return await self._client.post(
            "/images/generations",
            cast_to=ImagesResponse,
            body={"prompt": prompt, **self._fields(options)},
            options={"headers": _headers(reference)},
        )

    def _fields(self, options: CallOptions) -> dict[str, object]:
        """Return the fields of a request that the model knows."""
        fields: dict[str, object | None] = {
            "model": self._model,
            "n": options.n,
            "size": options.size,
            "output_format": self._dialect.output_format(self._model, options.output_format),
        }
        if is_gpt_image(self._model):
            fields |= {"quality": options.quality, "background": options.background}
        else:
            fields["response_format"] = "b64_json"
        return {name: value for name, value in fields.items() if value is not None}


def _client(api_key: str, base_url: str, http: httpx2.AsyncClient) -> openai.AsyncOpenAI:
    """Build the client of a server.

    Azure's deployment URLs take the key in a header of their own, and a version; Azure's `/v1` URLs are like
    any other server's, with or without a version.
    """
    address = urlsplit(base_url)
    query = dict(parse_qsl(address.query))
    base_url = urlunsplit(address._replace(query=""))
    if "api-version" in query and not address.path.rstrip("/").endswith("/v1"):
        return openai.AsyncAzureOpenAI(
            api_key=api_key,
            base_url=base_url,
            api_version=query["api-version"],
            default_query=query,
            max_retries=0,
            http_client=http,
        )
    return openai.AsyncOpenAI(
        api_key=api_key, base_url=base_url, default_query=query, max_retries=0, http_client=http
    )


def _part(picture: InputFile) -> tuple[str, bytes, str]:
    """Build a form part: bytes alone would be sent as `upload`, without a type."""
    return picture.filename, picture.content, picture.mime


def _headers(reference: str) -> dict[str, str]:
    return {"X-Client-Request-Id": reference}


@contextmanager
def _our_errors(timeout_s: float) -> Generator[None]:
    try:
        yield
    except TimeoutError as error:
        raise EditTimedOut(f"the call was not answered within {timeout_s:g} s; {NO_ANSWER}") from error
    except openai.APIConnectionError as error:
        if isinstance(error.__cause__, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout):
            raise EditUnavailable("the vendor cannot be reached", not_run=True) from error
        if isinstance(error, openai.APITimeoutError):
            raise EditTimedOut(f"the call was not answered within {timeout_s:g} s; {NO_ANSWER}") from error
        raise EditTimedOut(f"the connection broke before the call was answered; {NO_ANSWER}") from error
    except openai.APIStatusError as error:
        raise to_edit_error(error) from error
    except (openai.OpenAIError, ValueError) as error:  # not JSON, or of another shape
        raise EditBadResponse("the vendor's answer cannot be read") from error


def _answer(response: object, model: str, requested: int) -> ModelAnswer:
    """Check an answer with status 200: the client lets HTML through as text, and an empty list."""
    if not isinstance(response, ImagesResponse):
        raise EditBadResponse("the vendor's answer is not JSON")
    if not response.data:
        raise EditBadResponse("the vendor's answer holds no image")
    return ModelAnswer(
        images=tuple(_output_image(image) for image in response.data[:requested]),
        model=model,
        tokens=_tokens(response),
        request_id=response._request_id,  # pyright: ignore[reportPrivateUsage] - public by its documentation
    )


def _output_image(image: Image) -> OutputImage:
    if not isinstance(image.b64_json, str) or not image.b64_json:
        raise EditBadResponse("the vendor's answer has an image without bytes")
    try:
        return OutputImage(base64.b64decode(image.b64_json, validate=True), image.revised_prompt)
    except (binascii.Error, ValueError) as error:
        raise EditBadResponse("the vendor's answer has an image that is not base64") from error


def _tokens(response: ImagesResponse) -> EditTokens:
    usage = response.usage
    counts = {name: getattr(usage, name, None) for name in EditTokens.__struct_fields__}
    return EditTokens(
        **{name: count if isinstance(count, int) and count > 0 else 0 for name, count in counts.items()}
    )
