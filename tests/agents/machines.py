"""Two machines of one project, and the API of a model on loopback, for the stories of
real hosts of agents.

A story is started as `STORY.py HOST SCRATCH BIN`: the host's program, the folder of both
machines (`SCRATCH/laptop/notes`, where the host works, and `SCRATCH/desktop/notes`), and
the folder of mirrord's programs.
"""

import fcntl
import http.server
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time

HOST, SCRATCH, BIN = sys.argv[1:4]
NOTES = f"{SCRATCH}/laptop/notes"
PATIENCE = 60


def bring_loopback_up():
    """In a namespace that was just made it is down. Elsewhere it is up, and not ours."""
    if os.geteuid() != 0:
        return
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        request = struct.pack("16sh", b"lo", 0x1 | 0x40)
        fcntl.ioctl(one.fileno(), 0x8914, request + b"\0" * 14)


def environment(machine, **more):
    home = f"{SCRATCH}/{machine}"
    return {
        "HOME": home, "PATH": f"{BIN}:/usr/bin:/bin", "LC_ALL": "C.UTF-8",
        "MIRRORD_HOME": f"{home}/m", "MIRRORD_MACHINE": machine, "MIRRORD_USER": "tester",
        **more,
    }


def runs(machine, *words):
    done = subprocess.run(
        ["mirrorctl", "--json", *words], cwd=f"{SCRATCH}/{machine}/notes",
        env=environment(machine), capture_output=True, text=True, check=False,
    )
    assert done.returncode in (0, 3, 4), (words, done.stderr)
    return json.loads(done.stdout)["result"]


def pushes_from_afar(path, text, message):
    """Until the laptop's daemon has heard of it."""
    with open(f"{SCRATCH}/desktop/notes/{path}", "w", encoding="utf-8") as file:
        file.write(text)
    commit = runs("desktop", "push", "--message", message)["commit"]
    deadline = time.monotonic() + PATIENCE
    while runs("laptop", "status", "--offline")["head"] < commit:
        assert time.monotonic() < deadline, f"#{commit} is not heard of"
        time.sleep(0.1)
    return commit


def starts_level(*names):
    """Both machines have these files, and the laptop has heard of all there is."""
    for name in names:
        pushes_from_afar(name, f"first, {time.monotonic_ns()}\n", "the beginning")
    runs("laptop", "pull")
    runs("laptop", "inbox")


def times(request, commit):
    """How often a request tells of a commit."""
    return request.count(f"#{commit} by tester on desktop")


class Api(http.server.BaseHTTPRequestHandler):
    """Answers what a host asks; each host has its own `do_POST`."""

    protocol_version = "HTTP/1.1"

    def asked(self):
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def do_GET(self):
        self.says({})

    def says(self, answer, kind="application/json"):
        body = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def streams(self, events):
        text = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
        self.says(text, "text/event-stream")

    def log_message(self, *_):
        pass


def serves(api):
    """Serves on a free port of loopback until the story ends; gives the port."""
    bring_loopback_up()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]
