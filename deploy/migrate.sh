#!/bin/sh
# Prepares a library on servers: Dagster's instance file, then the newest schema of both
# databases. Running it again does nothing. Opening the library applies our migrations.
set -eu

mkdir -p "$DAGSTER_HOME"
cp pipelines/dagster.yaml "$DAGSTER_HOME/dagster.yaml"
alexandria status
dagster instance migrate
