"""Make a DeepLabCut project, and use what `dlclive outliers` put into it, with DeepLabCut itself. Does not import dlclive.

    python labelling_project.py create FOLDER VIDEO '{"bodyparts": ["snout"], "individuals": null, "unique": []}'
    python labelling_project.py refine CONFIG VIDEO_NAME

`create` makes a project, a multi-animal one if there are individuals, and prints {"config": ...}. `refine` reads the machine
labels as DeepLabCut reads them, writes them as a person's labels as napari-deeplabcut does when they are saved (the person's
name, no likelihood), then calls `merge_datasets` and `create_training_dataset`, and prints what the training data hold. Run
it in an environment with deeplabcut 3.0.2.
"""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import Any


def create(folder: str, video: str, names: str) -> dict[str, Any]:
    """A new project with one video."""
    import deeplabcut
    from deeplabcut.utils import auxiliaryfunctions

    wanted = json.loads(names)
    individuals = wanted["individuals"]
    config = deeplabcut.create_new_project(
        "outliers", "Ada", [video], folder, copy_videos=True, multianimal=bool(individuals), individuals=individuals
    )
    values = auxiliaryfunctions.read_config(config)
    values["multianimalbodyparts" if individuals else "bodyparts"] = wanted["bodyparts"]
    values["skeleton"] = []
    if individuals:
        values["uniquebodyparts"] = wanted["unique"]
    auxiliaryfunctions.write_config(config, values)
    return {"config": str(config)}


def refine(config: str, video: str) -> dict[str, Any]:
    """Machine labels -> a person's labels -> the next iteration -> training data."""
    import deeplabcut
    import pandas as pd
    from deeplabcut.utils import auxiliaryfunctions, conversioncode

    values = auxiliaryfunctions.read_config(config)
    folder = Path(config).parent / "labeled-data" / video
    machine = pd.read_hdf(folder / f"machinelabels-iter{values['iteration']}.h5", "df_with_missing")
    conversioncode.guarantee_multiindex_rows(machine)
    positions = machine.loc[:, machine.columns.get_level_values("coords") != "likelihood"]
    positions.columns = positions.columns.remove_unused_levels().set_levels([values["scorer"]], level="scorer")
    person = folder / f"CollectedData_{values['scorer']}"
    if person.with_suffix(".h5").exists():
        positions = pd.concat([pd.read_hdf(person.with_suffix(".h5")), positions]).sort_index()
    positions.to_hdf(person.with_suffix(".h5"), key="df_with_missing", mode="w")
    positions.to_csv(person.with_suffix(".csv"))
    for other in folder.parent.iterdir():
        if not any(other.iterdir()):  # of a video without frames: merge_datasets would wait for its labels
            other.rmdir()
    deeplabcut.merge_datasets(config)
    deeplabcut.create_training_dataset(config, num_shuffles=1, net_type="resnet_50")
    after = auxiliaryfunctions.read_config(config)
    training = Path(config).parent / auxiliaryfunctions.get_training_set_folder(after)
    merged = pd.read_hdf(training / f"CollectedData_{values['scorer']}.h5")
    documents = [path.name for path in training.iterdir()]
    return {
        "machine_levels": list(machine.columns.names),
        "machine_columns": [list(column) for column in machine.columns],
        "machine_rows": [list(row) for row in machine.index],
        "iteration": int(after["iteration"]),
        "videos": [Path(path).stem for path in after["video_sets"]],
        "training_rows": [list(row) for row in merged.index],
        "training_columns": [list(column) for column in merged.columns],
        "positions": [[None if value != value else value for value in row] for row in merged.to_numpy().tolist()],
        "documents": documents,
    }


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):
        result = {"create": create, "refine": refine}[sys.argv[1]](*sys.argv[2:])
    print(json.dumps(result))
