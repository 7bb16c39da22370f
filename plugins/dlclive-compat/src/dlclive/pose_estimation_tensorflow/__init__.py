"""Models of DeepLabCut 2, which dlclive does not run."""
