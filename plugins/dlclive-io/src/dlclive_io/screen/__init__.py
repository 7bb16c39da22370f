"""Displays in a process of their own: nothing that happens to a screen can hold up, or end, the session.

`viewer.py`, `newest.py` and `pictures.py` are the session's side; `session.py`, `window.py` and `web.py` the other one.
The viewer asks, the session answers with the newest frame: a viewer that is slow, stopped or gone costs nothing and
fills nothing.
"""
