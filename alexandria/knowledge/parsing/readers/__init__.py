"""One module for each family of formats; each reader turns a `Source` into a `Draft`."""
