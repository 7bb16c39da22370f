"""Processors in DeepLabCut-live's style: those in files of your own, run unchanged, and three examples written anew."""
