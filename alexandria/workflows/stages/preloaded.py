"""What every worker needs, loaded once by the server that workers are forked from.

Importing this module loads it: forks share its memory, and only that server imports it.
"""

import importlib

from alexandria.knowledge.parsing.languages import load_model

for _name in ("lxml.etree", "numpy", "alexandria.workflows.stages.piecework"):
    importlib.import_module(_name)
load_model()
