"""The data types that components exchange: frames, skeletons, poses, estimates, model cards. Needs numpy only."""
