"""What Open Ephys' Network Events does with TTL requests, as far as its source shows (NetworkEvents.cpp of its plugin).

python open_ephys.py PORT KIND [HOST] prints each request as a line of JSON. KIND: good; slow (0.05 s for each answer);
invalid, as for a line that it does not have; silent (no answer to `State=1`); garbage.
"""

import json
import re
import sys
import time

import zmq

port, kind = int(sys.argv[1]), sys.argv[2]
host = sys.argv[3] if len(sys.argv) > 3 else "127.0.0.1"
socket = zmq.Context().socket(zmq.REP)
socket.setsockopt(zmq.IPV6, int(":" in host))
socket.bind(f"tcp://[{host}]:{port}" if ":" in host else f"tcp://{host}:{port}")
print(json.dumps("ready"), flush=True)
while True:
    request = socket.recv().decode()
    print(json.dumps(request), flush=True)
    found = re.fullmatch(r"TTL Line=(\d+) State=([01])", request)
    if kind == "slow":
        time.sleep(0.05)
    if kind == "silent" and found and found[2] == "1":
        socket.close(linger=0)
        socket = zmq.Context().socket(zmq.REP)
        socket.bind(f"tcp://127.0.0.1:{port}")
    elif kind == "garbage":
        socket.send(b"\xff\x00TTLHandled: Line=9 State=9" * 100)
    elif kind == "invalid" or found is None:
        socket.send(b"InvalidChannel")
    else:
        socket.send(f"TTLHandled: Line={found[1]} State={found[2]}".encode())
