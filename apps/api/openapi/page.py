"""The page on which a description is read and tried out: Swagger UI, without the internet."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from litestar.serialization import encode_json

from apps.api.openapi.described import FORM

ASSETS = "/schema/assets"
PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="{assets}/favicon.png">
<link href="{assets}/swagger-ui.css" rel="stylesheet">
<style>body {{ margin: 0 }}</style>
</head>
<body>
<div id="page"></div>
<script src="{assets}/swagger-ui-bundle.js"></script>
<script>
// A field of a form that is left empty is not sent.
const withoutEmptyFields = (request) => {{
  if (request.body instanceof FormData) {{
    const empty = [...request.body].filter(([_, value]) => value === "" || value === "undefined");
    empty.forEach(([name]) => request.body.delete(name));
  }}
  return request;
}};
SwaggerUIBundle({{
  spec: {document},
  dom_id: "#page",
  deepLinking: true,
  showCommonExtensions: true,
  requestInterceptor: withoutEmptyFields,
}});
</script>
</body>
</html>
"""


def page_of(document: Mapping[str, Any]) -> bytes:
    """Return the page. Forms are empty there: Swagger UI would fill in their examples and send them."""
    shown = deepcopy(dict(document))
    for form in _forms(shown):
        for field in form["properties"].values():
            field.pop("examples", None)
            if field.get("format") != "binary":
                field["default"] = ""
    # `</script>` in a text would end the script.
    text = encode_json(shown).decode().replace("</", "<\\/")
    return PAGE.format(title=shown["info"]["title"], assets=ASSETS, document=text).encode()


def _forms(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for item in document["paths"].values():
        for operation in item.values():
            content = operation.get("requestBody", {}).get("content", {})
            if FORM in content:
                yield document["components"]["schemas"][content[FORM]["schema"]["$ref"].rpartition("/")[2]]
