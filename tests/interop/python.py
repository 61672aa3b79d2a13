"""Answers for the PyPI packages, a line of JSON for each line of JSON: `PYTHONPATH=… python3 python.py < asks`.

README.md describes the lines.
"""

import json
import sys
from datetime import datetime, timezone

import standardwebhooks
import svix

LIBRARIES = {"svix": svix.Webhook, "standardwebhooks": standardwebhooks.Webhook}


def answer(ask: dict) -> dict:
    webhook = LIBRARIES[ask["library"]](ask["secret"])
    if sign := ask.get("sign"):
        timestamp = datetime.fromtimestamp(sign["timestamp"], tz=timezone.utc)
        return {"signature": webhook.sign(sign["id"], timestamp, sign["body"])}
    verify = ask["verify"]
    try:
        webhook.verify(verify["body"], verify["headers"])
    except Exception as error:  # Some malformed headers raise other errors than the library's own.
        return {"verified": False, "reason": f"{type(error).__name__}: {error}"}
    return {"verified": True}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))))
