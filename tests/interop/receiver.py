"""A server that takes webhooks by the PyPI packages, each at its own path: `PYTHONPATH=… python3 receiver.py`.

It reads {"secret"} from a line of input, writes {"port"}, and ends with its input. It answers 200 to what the package
verifies, and 400 with the reason to everything else.
"""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import standardwebhooks
import svix

LIBRARIES = {"/svix": svix.Webhook, "/standardwebhooks": standardwebhooks.Webhook}
SECRET = json.loads(sys.stdin.readline())["secret"]


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            LIBRARIES[self.path](SECRET).verify(body, headers)
        except Exception as error:  # Some malformed headers raise other errors than the library's own.
            self.answer(400, {"reason": f"{type(error).__name__}: {error}"})
        else:
            self.answer(200, {"verified": True})

    def answer(self, status: int, reply: dict) -> None:
        body = json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(json.dumps({"port": server.server_port}), flush=True)
sys.stdin.read()
