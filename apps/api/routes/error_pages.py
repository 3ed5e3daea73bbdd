"""Pages that explain the error codes; the `type` of a problem is the address of one."""

from html import escape
from http import HTTPStatus
from re import sub

from litestar import Controller, Response, get
from litestar.enums import MediaType
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from apps.api.error_texts import meanings
from apps.http.problem_json import PAGES

PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>body {{ font: 1rem/1.6 sans-serif; margin: 2rem auto; max-width: 48rem; padding: 0 1rem }}</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""


class ErrorPages(Controller):
    """Pages about error codes."""

    path = PAGES
    include_in_schema = False

    @get(media_type=MediaType.HTML, sync_to_thread=False)
    def index(self) -> Response[str]:
        """List all codes."""
        entries = (
            f'<li><a href="{PAGES}/{code}"><code>{code}</code></a> ({status}): {_html(text)}</li>'
            for code, (status, text) in meanings().items()
        )
        return _page("Errors", f"<ul>\n{chr(10).join(entries)}\n</ul>")

    @get("/{code:str}", media_type=MediaType.HTML, sync_to_thread=False)
    def one(self, code: FromPath[str]) -> Response[str]:
        """Explain one code."""
        if code not in meanings():
            raise NotFoundException
        status, text = meanings()[code]
        body = (
            f"<p>{_html(text)}</p>\n<p>The status of the answer is {status} {HTTPStatus(status).phrase}. "
            f'The code stays, the wording of an answer may change. <a href="{PAGES}">All codes</a></p>'
        )
        return _page(f"Error {code}", body)


def _page(title: str, body: str) -> Response[str]:
    return Response(PAGE.format(title=title, body=body), media_type=MediaType.HTML)


def _html(text: str) -> str:
    return sub("`([^`]+)`", r"<code>\1</code>", escape(text))
