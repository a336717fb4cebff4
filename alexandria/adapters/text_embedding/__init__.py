"""The embedding model of texts: exported once, run by OpenVINO."""
