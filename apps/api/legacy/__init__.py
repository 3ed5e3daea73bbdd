"""The addresses, names and shapes that clients of five older services use.

Only this package knows them: it translates requests and responses, and calls the same functions as `routes`.
Some addresses are shared with today's clients. There, the trailing slash decides, since older clients always
send one: `addresses` routes `/api/images/`, `/api/images/<id>/` and `/accounts/login/` to this package.
"""

TAG = "Compatibility"
TAGS = (TAG,)
DESCRIPTION = (
    "Addresses, names and shapes for clients of older services. At `/api/images`, `/api/images/{image_id}` "
    "and `/accounts/...`, which older and today's clients share, the trailing slash decides: with it, the "
    "answer carries the older names beside today's."
)
