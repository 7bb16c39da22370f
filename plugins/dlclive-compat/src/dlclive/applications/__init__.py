"""What the functions for whole videos and cameras share: a session of dlclive-core, and the files it leaves."""
