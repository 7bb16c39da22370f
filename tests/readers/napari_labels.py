"""Open a folder of a project with the reader of napari-deeplabcut, and print what it shows as JSON. Does not import dlclive.

    QT_QPA_PLATFORM=offscreen python napari_labels.py reach/labeled-data/monday

Run it by hand, in an environment with napari-deeplabcut. It prints the shape of the pictures, and
for each table of labels the names of the keypoints and animals, the pictures, and the points as (picture, y, x).
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np


def layers(folder: str) -> list[dict[str, Any]]:
    """The layers that napari would add."""
    from napari_deeplabcut._reader import get_folder_parser

    parse = get_folder_parser(folder)
    if parse is None:
        raise SystemExit(f"{folder} is not a folder of labels for napari-deeplabcut")
    found = []
    for data, options, kind in parse(folder):
        layer: dict[str, Any] = {"kind": kind, "name": options.get("name"), "shape": list(data.shape)}
        if kind == "image":
            layer["first_pixel"] = np.asarray(data[0])[0, 0].tolist()
        else:
            properties = options["properties"]
            layer |= {
                "keypoints": sorted(set(map(str, properties["label"]))),
                "individuals": sorted(set(map(str, properties["id"]))),
                "pictures": list(options["metadata"]["paths"]),
                "points": np.asarray(data).tolist(),
            }
        found.append(layer)
    return found


if __name__ == "__main__":
    print(json.dumps(layers(sys.argv[1])))
