"""The whole image brought to one size, whatever its own."""

from __future__ import annotations

from dlclive_core.errors import DependencyError, UsageError
from dlclive_core.machine.known_packages import INSTALL_RESIZE
from dlclive_core.regions.crop_transform import IDENTITY, CropTransform
from dlclive_core.regions.region import Image, Region


class ResizeTo(Region):
    """The whole image, resized to `width` x `height`, bilinear as `Resize`; sides may be scaled by different factors."""

    def __init__(self, width: int, height: int) -> None:
        if width < 1 or height < 1:
            raise UsageError(f"a size of {width} x {height} pixels is empty")
        self.width, self.height = int(width), int(height)

    def cut(self, image: Image) -> tuple[Image, CropTransform]:
        height, width = image.shape[:2]
        if (height, width) == (self.height, self.width):
            return image, IDENTITY
        try:
            import cv2
        except ImportError:
            raise DependencyError(f"resize needs OpenCV; run: {INSTALL_RESIZE}") from None
        small = cv2.resize(image, (self.width, self.height), interpolation=cv2.INTER_LINEAR)
        return small, CropTransform((0.0, 0.0), (width / self.width, height / self.height))  # type: ignore[return-value]
