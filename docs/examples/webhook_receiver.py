"""Receive webhooks on a port, verify their signatures and print their events.

SECRET=whsec_... python webhook_receiver.py 8080
"""

import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

webhook = Webhook(os.environ["SECRET"])


class Receiver(BaseHTTPRequestHandler):
    """Answer 204 to a valid webhook and 401 to any other request."""

    def do_POST(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers["content-length"]))
        try:
            event = webhook.verify(body, headers)
        except WebhookVerificationError:
            self.send_error(401)
            return
        self.send_response(204)
        self.end_headers()
        print(headers["webhook-id"], event["type"], flush=True)


HTTPServer(("", int(sys.argv[1])), Receiver).serve_forever()
