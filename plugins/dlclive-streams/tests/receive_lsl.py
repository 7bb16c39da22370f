"""An LSL inlet as others write it: prints the stream's meta-data, then each sample. python receive_lsl.py NAME"""

import json
import math
import sys

import pylsl
from pylsl.util import LostError

# LSL's own configuration, for machines without a network: look on this computer alone.
pylsl.set_config_content("[multicast]\nResolveScope = machine\nIPv6 = disable\n[log]\nlevel = -2\n")
found: list[pylsl.StreamInfo] = []
while not found:
    found = pylsl.resolve_byprop("name", sys.argv[1], timeout=1.0)
inlet = pylsl.StreamInlet(found[0], max_buflen=60, recover=False)
info = inlet.info(10.0)
inlet.open_stream(10.0)
print(json.dumps([info.as_xml(), info.type(), info.nominal_srate(), info.source_id()]), flush=True)
try:
    while True:
        values, stamp = inlet.pull_sample()
        values = [None if isinstance(value, float) and not math.isfinite(value) else value for value in values]
        print(json.dumps([stamp, pylsl.local_clock(), values]), flush=True)
except LostError:
    print(json.dumps("lost"), flush=True)
