"""What this computer is: cores, GPUs, versions, load."""
