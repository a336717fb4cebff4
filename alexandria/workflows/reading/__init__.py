"""What a reader asks: search, answers, documents, and how good the search is."""
