"""The serving tier: who may ask, and how answers look. Reads from `alexandria` only."""
