"""A mail server that prints what it takes and sends nothing on: python3 mailbox.py PORT"""

import socketserver
import sys
from email import message_from_bytes, policy


class Mailbox(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"220 mailbox\r\n")
        for line in self.rfile:
            if line.strip().upper() == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                show(b"".join(iter(self.rfile.readline, b".\r\n")))
            self.wfile.write(b"250 mailbox\r\n")


def show(email):
    message = message_from_bytes(email, policy=policy.default)
    lines = [f"{name}: {message[name]}" for name in ("From", "To", "Subject")]
    for part in message.walk():
        if not part.is_multipart():
            lines += [f"--- {part.get_content_type()}", part.get_content().strip()]
    print("\n".join(lines), flush=True)


socketserver.ThreadingTCPServer.allow_reuse_address = True
server = socketserver.ThreadingTCPServer(("127.0.0.1", int(sys.argv[1])), Mailbox)
print(f"listening on port {server.server_address[1]}", file=sys.stderr, flush=True)
server.serve_forever()
