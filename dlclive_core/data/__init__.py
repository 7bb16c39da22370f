"""What passes between the parts: frames, skeletons, poses, estimates, model cards. Needs numpy only."""
