"""What one step of work does: read what is pending, call the domain, record the result.

One module for each stage of the graph (ingestion, chunking, embedding, quality, analytics)
and for each thing a reader or operator asks (searching, answering, evaluating, status).
Every step works on what the ledger says is pending, in batches, each batch one
transaction, so that a killed step continues where it was and a finished one does nothing.
"""
