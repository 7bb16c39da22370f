"""Creates a DeepLabCut project with one shuffle for a network, and exports it. Needs deeplabcut."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from deeplabcut.core.config import ProjectConfig
from deeplabcut.core.engine import Engine
from deeplabcut.pose_estimation_pytorch.apis.export import export_model
from deeplabcut.pose_estimation_pytorch.config import PoseConfig
from deeplabcut.utils import auxiliaryfunctions

from tools.parity.cases import INDIVIDUALS, KEYPOINTS, UNIQUE, Case

POSE, DETECTOR = "snapshot-050.pt", "snapshot-detector-best-100.pt"


class Project:
    """A project folder as DeepLabCut creates it, without videos and labels.

    Args:
        case: the network.
        root: the project's folder, created here.
    """

    def __init__(self, case: Case, root: Path) -> None:
        self.case, self.root = case, root
        several = case.several
        self.config = ProjectConfig.from_dict(
            {
                "Task": "parity",
                "scorer": "dlclive",
                "date": "Jan1",
                "multianimalproject": several,
                "identity": case.identity,
                "project_path": str(root),
                "bodyparts": "MULTI!" if several else list(KEYPOINTS),
                "multianimalbodyparts": list(KEYPOINTS) if several else [],
                "uniquebodyparts": list(UNIQUE) if case.unique else [],
                "individuals": list(INDIVIDUALS) if several else ["individual_1"],
                "TrainingFraction": [0.95],
                "iteration": 0,
                "snapshotindex": -1,
                "detector_snapshotindex": -1,
            }
        )
        folder = auxiliaryfunctions.get_model_folder(0.95, 1, self.config, engine=Engine.PYTORCH)
        self.train = root / folder / "train"
        self.train.mkdir(parents=True)
        self.config.to_yaml(root / "config.yaml", overwrite=True)
        self.pose_path = self.train / "pytorch_config.yaml"

    def build(self) -> PoseConfig:
        """Build the network's configuration with DeepLabCut's own builder, and save it in the project."""
        return PoseConfig.build(
            self.config,
            self.pose_path,
            top_down=self.case.method == "td",
            net_type=self.case.net_type,
            detector_type=self.case.detector,
            ctd_conditions=2 if self.case.method == "ctd" else None,
            save=True,
        )

    def save(self, name: str, weights: dict[str, Any]) -> None:
        """Save a snapshot as DeepLabCut's training does."""
        metadata = {"epoch": 50, "metrics": {"metrics/test.mAP": 87.5}, "losses": {}}
        torch.save({"metadata": metadata, "model": weights}, self.train / name)

    def model(self, pose_config: PoseConfig) -> Path:
        """The model in the form of the case: a file exported by DeepLabCut, or the training folder."""
        if self.case.form == "snapshot":
            return self.train
        export_model(
            self.root / "config.yaml",
            shuffle=1,
            wipe_paths=self.case.wipe_paths,
            without_detector=not self.case.detector,
        )
        (path,) = (self.root / "exported-models-pytorch").rglob("*.pt")
        if self.case.form == "enums":
            content = torch.load(path, weights_only=True)
            torch.save({**content, "config": pose_config.to_dict()}, path)  # 3.0.1 did not convert enumerations to text
        return path
