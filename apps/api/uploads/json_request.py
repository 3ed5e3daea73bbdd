"""The request class of the API, which decodes JSON with one error for every fault."""

from typing import Any

import msgspec
from litestar import Request
from litestar.datastructures import State
from litestar.exceptions import SerializationException

from libs.contracts.json_text import decode_json


class JsonRequest(Request[Any, Any, State]):
    """A request whose invalid JSON always answers 400, never 500.

    The decoded body stays in `state.json`, for the text of an error that Litestar finds in it.
    """

    async def json(self) -> Any:  # noqa: ANN401 - JSON
        """Return the decoded body; None for an empty one.

        Raises:
            SerializationException: It is not JSON; Litestar answers 400.
        """
        try:
            self.state.json = decode_json(await self.body() or b"null", object)
        except msgspec.DecodeError as error:
            raise SerializationException(f"the body {error}") from error
        return self.state.json
