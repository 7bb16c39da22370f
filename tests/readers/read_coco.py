"""Read the COCO files in a folder with pycocotools and sleap-io, and evaluate the results against the data set."""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import sleap_io
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from truth import Points, check, tables

HALF = 0.5
"""COCO's positions are pixel indices; in dlclive's tables the centre of the first pixel is 0.5."""


def empty(expected: Points) -> Points:
    return {key: np.full(values.shape, (np.nan, np.nan, 0.0)) for key, values in expected.items()}


def with_pycocotools(coco: COCO, expected: Points) -> Points:
    read, animals = empty(expected), list(dict.fromkeys(key[0] for key in expected))
    for annotation in coco.loadAnns(coco.getAnnIds()):
        names = coco.loadCats(annotation["category_id"])[0]["keypoints"]
        points = np.array(annotation["keypoints"]).reshape(-1, 3)
        for name, (x, y, visible), score in zip(names, points, annotation["keypoint_scores"], strict=True):
            if visible:
                place = read[animals[annotation.get("track_id", 1) - 1], name]
                place[annotation["image_id"]] = x + HALF, y + HALF, score
    return read


def with_sleap(path: Path, images: list[str], expected: Points) -> Points:
    """sleap-io passes over images whose files do not exist, and reads no confidences: they are those expected."""
    read, animals = empty(expected), list(dict.fromkeys(key[0] for key in expected))
    with tempfile.TemporaryDirectory() as folder:
        for image in images:
            (Path(folder) / image).write_bytes(b"")
        labels = sleap_io.load_file(str(path), format="coco", dataset_root=folder)
        numbers = [int(Path(name).stem.split("_")[-1]) for name in labels.videos[0].filename]
    for frame in labels:
        number = numbers[frame.frame_idx]
        for instance in frame.instances:
            animal = animals[int(instance.track.name.split("_")[-1]) - 1] if instance.track else animals[0]
            for name, (x, y) in zip(instance.skeleton.node_names, instance.numpy(), strict=True):
                if np.isfinite(x):
                    read[animal, name][number] = x + HALF, y + HALF, expected[animal, name][number, 2]
    return read


count = 0
for path, table in tables(sys.argv[1], "single", "several"):
    # The likelihood of a frame that is missing is empty in a table, and 0 here.
    expected = {key: np.where(np.isnan(values) & [False, False, True], 0, values) for key, values in table.items()}
    file = path.with_name(path.name.partition("DLC_")[0] + ".json")
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(file)
        results = truth.loadRes(str(file.with_name(file.stem + "_results.json")))
        evaluation = COCOeval(truth, results, "keypoints")
        evaluation.params.kpt_oks_sigmas = np.full(len(expected), 0.05)[: len({key[1] for key in expected})]
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    precision, recall = evaluation.stats[0], evaluation.stats[5]
    if not precision == recall == 1:
        raise SystemExit(f"COCOeval of {file.name} with itself: precision {precision}, recall {recall}")
    count += check("pycocotools", file, with_pycocotools(truth, expected), expected)
    images = [image["file_name"] for image in truth.dataset["images"]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # sleap-io keeps positions in float32
        count += check("sleap-io", file, with_sleap(file, images, expected), expected)
print(
    f"pycocotools {version('pycocotools')}, sleap-io {version('sleap-io')}: {count} values are equal, COCOeval gives 1.0"
)
