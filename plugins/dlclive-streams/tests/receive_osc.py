"""An OSC server as others write it: prints each message as a line of JSON. python receive_osc.py

Its first line is its port. A handler returns nothing: python-osc 1.10.2 would send anything else back as a reply.
"""

import json

from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_server import BlockingOSCUDPServer


def show(address: str, *arguments: object) -> None:
    print(json.dumps([address, *arguments]), flush=True)


dispatcher = Dispatcher()
dispatcher.set_default_handler(show)
server = BlockingOSCUDPServer(("127.0.0.1", 0), dispatcher)
print(json.dumps(server.server_address[1]), flush=True)
server.serve_forever()
