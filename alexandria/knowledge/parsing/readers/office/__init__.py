"""Office documents of the Open XML and OpenDocument families, one module for each format."""
