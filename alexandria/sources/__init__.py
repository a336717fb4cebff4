"""Where documents come from: one folder for each kind of source, each a dlt source.

A source says what is there and what changed since it was last asked. It stores nothing.
"""
