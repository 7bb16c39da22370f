"""Video files, image folders, DeepLabCut tables and labelled videos for dlclive."""

__version__ = "0.1.0"
