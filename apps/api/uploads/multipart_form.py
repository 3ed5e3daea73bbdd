"""Multipart forms: files are hashed and written to disk while they arrive, never held in memory."""

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

from apps.api.uploads.errors import BadUpload, MissingImage, UnsupportedMediaType, UploadTooLarge, bad_field
from libs.contracts.decode_errors import convert_value, nearest_hint
from libs.contracts.json_text import decode_json
from libs.runtime.disk import write_all
from libs.runtime.threads import SCRATCH
from libs.storage.database.tables import new_id

T = TypeVar("T")


class Segment(Protocol):
    """The header of a form's part, as the package `multipart` yields it, which has no types."""

    name: str | None
    filename: str | None


_Event: TypeAlias = Segment | bytes | bytearray | None
_new_parser: Callable[..., Any] = PushMultipartParser  # pyright: ignore[reportUnknownVariableType]
_options_of: Callable[[str], tuple[str, dict[str, str]]] = parse_options_header  # pyright: ignore
_Malformed: type[Exception] = MultipartError  # pyright: ignore[reportUnknownVariableType]

FORM_OVERHEAD = 1_000_000  # bytes of a form's text fields and boundaries
FIELD_BYTES = 256_000
MAX_PARTS = 20
WRITE_BYTES = 512 * 1024


class ReceivedFile(Struct, frozen=True):
    """An uploaded file on disk."""

    path: Path
    filename: str
    size_bytes: int
    md5: str


class Form(Struct, frozen=True):
    """A complete form: text fields and files by name."""

    fields: dict[str, str]
    files: dict[str, ReceivedFile]

    def file(self, name: str) -> ReceivedFile:
        """Return the file `name`.

        Raises:
            MissingImage: The form has no such file.
        """
        if name not in self.files:
            raise MissingImage(f"the form has no file `{name}`")
        return self.files[name]

    def choice(self, name: str, kind: type[T]) -> T | None:
        """Return a text field as a member of an enumeration; None if it is missing.

        Raises:
            BadUpload: The field is not a member.
        """
        return self.read(name, lambda text: convert_value(text, kind))

    def value(self, name: str, kind: type[T]) -> T | None:
        """Decode a text field from JSON; None if it is missing.

        Raises:
            BadUpload: The field is not of this type; the text names the place.
        """
        return self.read(name, lambda text: decode_json(text, kind))

    def read(self, name: str, convert: Callable[[str], T]) -> T | None:
        """Convert a text field; None if it is missing.

        Raises:
            BadUpload: `convert` raises a `DecodeError`; the text names the place.
        """
        if name not in self.fields:
            return None
        try:
            return convert(self.fields[name])
        except msgspec.DecodeError as error:
            raise bad_field(name, error) from error


def _no_named_files(_: Mapping[str, str]) -> Collection[str]:
    return ()


class FormShape(Struct, frozen=True, kw_only=True):
    """The fields and files that a form may have. Others are not stored, and refused at the end."""

    files: tuple[str, ...]
    fields: tuple[str, ...]
    fixed: tuple[str, ...] = ()  # fields that an upload token decides
    max_file_bytes: int
    named_files: Callable[[Mapping[str, str]], Collection[str]] = _no_named_files  # by the preceding fields

    @property
    def max_bytes(self) -> int:
        """The greatest size of the body. All files that fields name share the limit of one file."""
        sizes = len(self.files) + (self.named_files is not _no_named_files)
        return sizes * self.max_file_bytes + FORM_OVERHEAD

    def fault_of(self, name: str, *, is_file: bool, before: Mapping[str, str]) -> str | None:
        """Return why a part is not allowed, or None; `before` are the preceding fields.

        Raises:
            MissingImage: The part is text instead of a file.
        """
        if name in (self.files if is_file else self.fields):
            return None
        if is_file and name in self.named_files(before):
            return None
        if name in self.fixed:
            return f"`{name}` is fixed by the upload token"
        if name in self.fields:
            return f"field `{name}` is text, not a file"
        if name in self.files:
            raise MissingImage(f"field `{name}` is a file, so it requires a filename")
        return f"unknown field `{name}`{nearest_hint(name, (*self.fields, *self.files))}"


@asynccontextmanager
async def received_form(
    request: Request[Any, Any, Any], directory: Path, shape: FormShape
) -> AsyncGenerator[Form]:
    """Read a form. Files that are not moved elsewhere are deleted at the end of the block.

    Raises:
        UnsupportedMediaType: The body is not a multipart form.
        UploadTooLarge: A file or the whole form is larger than `shape` allows.
        BadUpload: The form is malformed or truncated, or has a part that `shape` does not allow.
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
        except InternalServerException as error:  # Litestar raises it when the client disconnects
            raise BadUpload("the connection ended before the form did") from error
        yield Form(reader.fields, reader.files)
    finally:
        reader.close()


def _too_large(shape: FormShape) -> UploadTooLarge:
    return UploadTooLarge(f"the limit on uploads is {shape.max_file_bytes} bytes")


class _Reader:
    """Collects a form's fields and files while they arrive."""

    def __init__(self, directory: Path, shape: FormShape) -> None:
        self.fields: dict[str, str] = {}
        self.files: dict[str, ReceivedFile] = {}
        self._directory = directory
        self._shape = shape
        self._opened: list[FilePart] = []
        self._part: FilePart | _FieldPart | None = None
        self._faults: dict[str, str] = {}

    async def read(self, body: AsyncIterator[bytes], boundary: str) -> None:
        size = 0
        with _new_parser(boundary, max_segment_count=MAX_PARTS) as parser:
            async for chunk in body:
                size += len(chunk)
                if size > self._shape.max_bytes:
                    raise _too_large(self._shape)
                for event in parser.parse(chunk):
                    await self._handle(event)
        if self._faults:
            fields = [{"message": text, "key": name} for name, text in self._faults.items()]
            raise BadUpload("; ".join(self._faults.values()), fields)

    def close(self) -> None:
        for part in self._opened:
            part.discard()

    async def _handle(self, event: _Event) -> None:
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
        fault = self._shape.fault_of(name, is_file=segment.filename is not None, before=self.fields)
        if fault is not None:
            self._faults[name] = fault
            return
        if segment.filename is None:
            self._part = _FieldPart(name)
            return
        path = self._directory / f"upload-{new_id()}"
        self._part = FilePart(name, segment.filename, path, self._shape)
        self._opened.append(self._part)

    async def _end(self) -> None:
        part, self._part = self._part, None
        if isinstance(part, FilePart):
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


class FilePart:
    """A file that is written and hashed in a thread, half a megabyte at a time."""

    def __init__(self, name: str, filename: str, path: Path, shape: FormShape) -> None:
        self.name = name
        self.filename = filename
        self._path = path
        self._shape = shape
        self._file = path.open("wb", buffering=0)
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._buffer = bytearray()
        self._size = 0

    async def add(self, chunk: bytes | bytearray) -> None:
        self._size += len(chunk)
        if self._size > self._shape.max_file_bytes:
            raise _too_large(self._shape)
        self._buffer += chunk
        if len(self._buffer) >= WRITE_BYTES:
            await self._write()

    async def finish(self) -> ReceivedFile:
        await self._write()
        self._file.close()
        return ReceivedFile(self._path, self.filename, self._size, self._md5.hexdigest())

    def discard(self) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)

    async def _write(self) -> None:
        data, self._buffer = self._buffer, bytearray()
        await SCRATCH.run(self._write_now, data)

    def _write_now(self, data: bytearray) -> None:
        self._md5.update(data)
        write_all(self._file, data)
