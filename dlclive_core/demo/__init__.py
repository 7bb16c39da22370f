"""A rendered mouse with known keypoints, and a small network that finds them: for the demo, the doctor and export checks.

Only those import it; it needs numpy only. `scripts/train_demo_model.py` trained the network.
"""

from pathlib import Path

MODEL = Path(__file__).parent / "mouse.onnx"
"""The network that finds the keypoints of `MouseSource`'s mouse, in dlclive's export format."""
