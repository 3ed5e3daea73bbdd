"""Taking a multipart upload off the wire: streamed to disk and hashed on the way, never held in memory."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol, TypeAlias, TypeVar

import msgspec
from litestar import Request
from litestar.exceptions import InternalServerException
from msgspec import Struct
from multipart import MultipartError, PushMultipartParser, parse_options_header  # pyright: ignore

from libs.storage.database.tables import new_id

T = TypeVar("T")


class Segment(Protocol):
    """The head of a form's part, as the parser gives it: the package `multipart` has no types."""

    name: str | None
    filename: str | None


_Event: TypeAlias = Segment | bytes | bytearray | None
_new_parser: Callable[..., Any] = PushMultipartParser  # pyright: ignore[reportUnknownVariableType]
_options_of: Callable[[str], tuple[str, dict[str, str]]] = parse_options_header  # pyright: ignore
_Malformed: type[Exception] = MultipartError  # pyright: ignore[reportUnknownVariableType]

FORM_OVERHEAD = 1_000_000  # bytes that a form's other fields and boundaries may take
FIELD_BYTES = 256_000
MAX_PARTS = 20
WRITE_BYTES = 512 * 1024


class BadUpload(Exception):
    """The form is malformed; the text says where."""

    code = "invalid_request"


class MissingImage(Exception):
    """The form has no file of the expected name."""

    code = "image_missing"


class UploadTooLarge(Exception):
    """The file is larger than an upload may be."""

    code = "upload_too_large"


class UnsupportedMediaType(Exception):
    """The body is of a type that this address does not take."""

    code = "unsupported_media_type"


class BadRange(Exception):
    """The asked-for range lies outside the file."""

    code = "range_not_satisfiable"

    def __init__(self, size: int) -> None:
        super().__init__(f"the file has {size} bytes")
        self.size = size


class ReceivedFile(Struct, frozen=True):
    """A file as it lies on disk."""

    path: Path
    filename: str
    size_bytes: int
    md5: str


class Form(Struct, frozen=True):
    """A whole form: text fields by name, and at most one file each."""

    fields: dict[str, str]
    files: dict[str, ReceivedFile]

    def file(self, name: str) -> ReceivedFile:
        """The file `name`.

        Raises:
            MissingImage: There is none.
        """
        if name not in self.files:
            raise MissingImage(f"the form has no file `{name}`")
        return self.files[name]

    def choice(self, name: str, kind: type[T]) -> T | None:
        """A text field that is one of an enumeration's words, or None.

        Raises:
            BadUpload: It is another word.
        """
        return self.read(name, lambda text: msgspec.convert(text, type=kind))

    def value(self, name: str, kind: type[T]) -> T | None:
        """A text field as JSON of a type, or None.

        Raises:
            BadUpload: It is not of that type; the text names the place.
        """
        return self.read(name, lambda text: msgspec.json.decode(text, type=kind))

    def read(self, name: str, convert: Callable[[str], T]) -> T | None:
        """A text field as `convert` reads it, or None.

        Raises:
            BadUpload: It raises a `DecodeError`; the text names the place.
        """
        if name not in self.fields:
            return None
        try:
            return convert(self.fields[name])
        except msgspec.DecodeError as error:
            raise BadUpload(f"{name}: {error}") from error


def _no_more(_: Mapping[str, str]) -> Collection[str]:
    return ()


class FormShape(Struct, frozen=True, kw_only=True):
    """What a form may hold; anything else is refused as soon as it comes."""

    files: tuple[str, ...]
    fields: tuple[str, ...]
    max_file_bytes: int
    more_files: Callable[[Mapping[str, str]], Collection[str]] = _no_more  # named by the fields before them

    @property
    def max_bytes(self) -> int:
        """Of the whole body; the files that its fields name share the size of one."""
        sizes = len(self.files) + (self.more_files is not _no_more)
        return sizes * self.max_file_bytes + FORM_OVERHEAD

    def check(self, name: str, *, is_file: bool, before: Mapping[str, str]) -> None:
        """Refuse what nobody reads; `before` are the fields that came before.

        Raises:
            BadUpload: The form has no such field, or not of this kind.
        """
        if name in (self.files if is_file else self.fields):
            return
        if is_file and name in self.more_files(before):
            return
        if name in self.fields:
            raise BadUpload(f"field `{name}` is text, not a file")
        if name in self.files:
            raise MissingImage(f"field `{name}` is a file: it needs a filename")
        raise BadUpload(f"unknown field `{name}`")


@asynccontextmanager
async def received_form(
    request: Request[Any, Any, Any], directory: Path, shape: FormShape
) -> AsyncGenerator[Form]:
    """Read a whole form; files that nobody took are removed at the end of the block.

    Raises:
        UnsupportedMediaType: The body is no multipart form.
        UploadTooLarge: A file or the whole form has more bytes than `shape` allows.
        BadUpload: The form is malformed, cut short, or holds what `shape` does not.
    """
    kind, options = _options_of(request.headers.get("content-type", ""))
    if kind != "multipart/form-data" or "boundary" not in options:
        raise UnsupportedMediaType("send multipart/form-data")
    if int(request.headers.get("content-length", "0")) > shape.max_bytes:
        raise _too_large(shape)
    reader = _Reader(directory, shape)
    try:
        try:
            await reader.read(request.stream(), options["boundary"])
        except _Malformed as error:
            raise BadUpload(f"malformed form: {error}") from error
        except InternalServerException as error:  # what Litestar makes of a client that went away
            raise BadUpload("the connection ended before the form did") from error
        yield Form(reader.fields, reader.files)
    finally:
        reader.close()


def _too_large(shape: FormShape) -> UploadTooLarge:
    return UploadTooLarge(f"an upload may have {shape.max_file_bytes} bytes")


class _Reader:
    """Sorts a form's parts into fields and files while they arrive."""

    def __init__(self, directory: Path, shape: FormShape) -> None:
        self.fields: dict[str, str] = {}
        self.files: dict[str, ReceivedFile] = {}
        self._directory = directory
        self._shape = shape
        self._opened: list[_FilePart] = []
        self._part: _FilePart | _FieldPart | None = None

    async def read(self, body: AsyncIterator[bytes], boundary: str) -> None:
        size = 0
        with _new_parser(boundary, max_segment_count=MAX_PARTS) as parser:
            async for chunk in body:
                size += len(chunk)
                if size > self._shape.max_bytes:
                    raise _too_large(self._shape)
                for event in parser.parse(chunk):
                    await self._take(event)

    def close(self) -> None:
        for part in self._opened:
            part.discard()

    async def _take(self, event: _Event) -> None:
        if event is None:
            await self._end()
        elif not isinstance(event, bytes | bytearray):
            self._begin(event)
        elif self._part is not None:
            await self._part.add(event)

    def _begin(self, segment: Segment) -> None:
        name = segment.name or ""
        if name in self.fields or name in self.files:
            raise BadUpload(f"field `{name}` is given twice")
        self._shape.check(name, is_file=segment.filename is not None, before=self.fields)
        if segment.filename is None:
            self._part = _FieldPart(name)
            return
        path = self._directory / f"upload-{new_id()}"
        self._part = _FilePart(name, segment.filename, path, self._shape)
        self._opened.append(self._part)

    async def _end(self) -> None:
        part, self._part = self._part, None
        if isinstance(part, _FilePart):
            received = await part.finish()
            if received.filename or received.size_bytes:  # browsers send an empty part for no file
                self.files[part.name] = received
        elif part is not None:
            self.fields[part.name] = part.text()


class _FieldPart:
    def __init__(self, name: str) -> None:
        self.name = name
        self._data = bytearray()

    async def add(self, chunk: bytes | bytearray) -> None:
        self._data += chunk
        if len(self._data) > FIELD_BYTES:
            raise BadUpload(f"field `{self.name}` is longer than {FIELD_BYTES} bytes")

    def text(self) -> str:
        try:
            return self._data.decode()
        except UnicodeDecodeError as error:
            raise BadUpload(f"field `{self.name}` is not UTF-8") from error


class _FilePart:
    """Writes and hashes in a thread, half a megabyte at a time."""

    def __init__(self, name: str, filename: str, path: Path, shape: FormShape) -> None:
        self.name = name
        self.filename = filename
        self._path = path
        self._shape = shape
        self._file = path.open("wb", buffering=0)
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._waiting = bytearray()
        self._size = 0

    async def add(self, chunk: bytes | bytearray) -> None:
        self._size += len(chunk)
        if self._size > self._shape.max_file_bytes:
            raise _too_large(self._shape)
        self._waiting += chunk
        if len(self._waiting) >= WRITE_BYTES:
            await self._write()

    async def finish(self) -> ReceivedFile:
        await self._write()
        self._file.close()
        return ReceivedFile(self._path, self.filename, self._size, self._md5.hexdigest())

    def discard(self) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)

    async def _write(self) -> None:
        data, self._waiting = self._waiting, bytearray()
        await asyncio.to_thread(self._write_now, data)

    def _write_now(self, data: bytearray) -> None:
        self._md5.update(data)
        self._file.write(data)
