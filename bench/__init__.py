"""Benchmarks: what Alexandria claims about speed, measured against a reference.

`python -m bench` runs them on the sample library, `python -m bench NAME FOLDER` one of them
on any folder. Every figure that claims speed stands beside a reference taken in the same run
on the same machine, so that the ratio means something where the seconds do not.
"""
