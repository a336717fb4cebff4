"""The stages of the graph: what each asset does for one source, from pending to recorded."""
