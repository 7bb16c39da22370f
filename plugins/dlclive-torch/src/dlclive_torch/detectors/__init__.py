"""Animal detectors: SSDLite and Faster R-CNN as DeepLabCut trains them, built on torchvision's layers."""
