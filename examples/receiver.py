"""Takes requests and prints what came: python3 receiver.py PORT"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        # An event, or a message for Slack.
        what = f"{self.headers['svix-id']} {body['type']}" if "type" in body else body["text"]
        print(what, flush=True)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver)
print(f"listening on port {server.server_address[1]}", file=sys.stderr, flush=True)
server.serve_forever()
