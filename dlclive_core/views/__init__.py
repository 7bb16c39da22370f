"""Two or more calibrated cameras: frames of one moment, keypoints in space."""

from dlclive_core.views.calibration import Calibration
from dlclive_core.views.camera import CalibratedCamera
from dlclive_core.views.multi_view_rig import MultiViewRig
from dlclive_core.views.view_options import ViewOptions

__all__ = ["CalibratedCamera", "Calibration", "MultiViewRig", "ViewOptions"]
