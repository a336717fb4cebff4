"""The command `alexandria`: how a person runs the graph and asks the library.

One module for each family of commands. A command reads its arguments, calls one workflow
or runs one job, and prints; `--json` prints the same for machines.
"""
