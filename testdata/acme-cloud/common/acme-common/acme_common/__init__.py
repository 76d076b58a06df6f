"""What all services of the Acme cloud share: the model of a message and a small HTTP front."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pydantic import BaseModel

__version__ = "2.3.0"


class Health(BaseModel):
    """What a service says of itself."""

    service: str
    libraries: dict[str, str]


def serve(health: Health, port: int) -> None:
    """Answers every GET with `health` as JSON, until the process is stopped."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps(health.model_dump(), sort_keys=True).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format, *args):
            pass

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
