"""Moto's own server, corrected towards AWS, on an address and port of its own, for as long as standard input is open.

Usage: moto_server.py ADDRESS. Prints {"url": ...} when it listens; port 0 lets the system choose, so that no other
process can take the port in between. Whoever starts it holds the other end of standard input: when that is closed, also
by kill -9 of its holder, this process ends.
"""

import json
import os
import sys
import threading

import moto_corrections
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from moto_corrections.one_at_a_time import keep_groups_going, one_at_a_time
from werkzeug.serving import make_server


def end_with_standard_input() -> None:
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)


def main() -> None:
    address = sys.argv[1]
    moto_corrections.apply()
    application = one_at_a_time(DomainDispatcherApplication(create_backend_app))
    server = make_server(address, 0, application, threaded=True, request_handler=MotoRequestHandler)
    server.daemon_threads = True
    for background in (end_with_standard_input, keep_groups_going):
        threading.Thread(target=background, daemon=True).start()
    print(json.dumps({"url": f"http://{address}:{server.server_port}"}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
