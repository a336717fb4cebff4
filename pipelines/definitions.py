"""The code location: what `workspace.yaml` and `alexandria up` hand to Dagster."""

from pipelines.build import build_definitions

defs = build_definitions()
