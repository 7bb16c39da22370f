"""A subscriber as others write it: prints each message as a line of JSON. python receive_zmq.py ADDRESS [TOPIC] [FORMAT]"""

import json
import sys

import msgpack
import zmq

address, topic, encoding = (*sys.argv[1:], "", "json")[:3] if len(sys.argv) == 2 else (*sys.argv[1:], "json")[:3]
socket = zmq.Context().socket(zmq.SUB)
socket.setsockopt(zmq.RCVHWM, 0)
socket.subscribe(topic)
socket.connect(address)
print(json.dumps("ready"), flush=True)
while True:
    name, payload = socket.recv_multipart()
    message = json.loads(payload) if encoding == "json" else msgpack.unpackb(payload)
    print(json.dumps([name.decode(), message]), flush=True)
