"""A rendered mouse whose keypoints are known, and a small network that finds them: for the demo, the doctor and export checks.

Imported only by those; plain numpy. `scripts/train_demo_model.py` made the network.
"""

from pathlib import Path

MODEL = Path(__file__).parent / "mouse.onnx"
"""The network that finds the keypoints of `MouseSource`'s mouse, as dlclive exports it."""
