"""The pictures on the pages of processors: a module for each, called by the processor's name with `_` for `-`.

A module has one function, `draw`, that returns the text of an SVG file: the processor at work on the demo's mouse. Modules
whose names begin with `_` are what they share. A picture needs numpy and a second or two, no model and no plotting library,
and is the same every time: random numbers have a seed. To add one, add its module; `processor_pictures.py` and the tests
find it.
"""
