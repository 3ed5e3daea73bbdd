"""The addresses and shapes that clients of older services know: thin translations onto the API.

`/accounts` and `/api/images` are shared with it: their answers carry the older names beside ours, and
`apps.api.creation` takes the older uploads too.
"""

TAGS = ("Compatibility",)
