"""Pictures inside documents: found where the format keeps them, given to the unit they lie in."""
