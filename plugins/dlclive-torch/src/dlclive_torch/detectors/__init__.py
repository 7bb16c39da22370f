"""Detectors of animals: SSDLite and Faster R-CNN as DeepLabCut trains them, on layers of torchvision."""
