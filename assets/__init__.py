"""What exists: the asset and check definitions of the graph, one folder for each stage.

An asset reads nothing itself: it calls one workflow, records what that reports and shows
it. Folder, Dagster group and key prefix are one word, set by `pipelines.definitions`; an
upstream asset of another stage is named by its key, never imported.
"""
