"""What one step of work does: read what is pending, call the domain, record the result.

    stages     the work of each asset on one source
    quality    the checks between staging and publishing, and verification
    reading    what a reader asks: search, answers, documents
    operating  what an operator manages: sources, generations, status, health

Every step works on what the ledger says is pending, in batches, each batch one
transaction, so that a killed step continues where it was and a finished one does nothing.
`workspace` is the one place that chooses implementations.
"""
