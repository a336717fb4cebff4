#!/bin/sh
# Prepares a library on servers: Dagster's instance file, then the newest schema of both
# databases and the password of the API's account. Running it again does nothing more.
set -eu

mkdir -p "$DAGSTER_HOME"
cp pipelines/dagster.yaml "$DAGSTER_HOME/dagster.yaml"
alexandria migrate
dagster instance migrate
