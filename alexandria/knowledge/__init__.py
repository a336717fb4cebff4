"""What documents, chunks, hits and citations are, and the pure functions over them.

Belongs here: values, ids, parsing bytes into text, chunking, ranking, quoting, scoring.
Does not: anything that opens a connection or a file, or that knows where results are kept.
"""
