"""A subscriber as others write it: prints each message as a line of JSON. python receive_mqtt.py PORT"""

import json
import sys

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

client = Client(CallbackAPIVersion.VERSION2)
client.on_connect = lambda *_: client.subscribe("#")
client.on_subscribe = lambda *_: print(json.dumps("ready"), flush=True)
client.on_message = lambda _client, _data, message: print(
    json.dumps([message.topic, message.retain, json.loads(message.payload)]), flush=True
)
client.connect("127.0.0.1", int(sys.argv[1]))
client.loop_forever()
