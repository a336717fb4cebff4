"""The gate between staging and publishing, and the proof that the stores agree."""
