"""Displays in a process of their own: nothing that happens to a screen can block or end the session.

`viewer.py`, `newest_estimate.py` and `viewer_update.py` run in the session; `viewer_process.py`, `window.py` and `web.py`
run in the viewer's process; `pipe_messages.py` is shared. The viewer requests updates and the session answers with the
newest frame, so a viewer that is slow, stopped or gone costs nothing and fills no memory.
"""
