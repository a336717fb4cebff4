"""The domain of Alexandria: documents in, cited answers out.

Plain Python. Nothing here knows Dagster or FastAPI, and importing any module
connects to nothing, reads no environment variable and opens no file.

    workflows  what one step of work does, from reading what is pending to recording it
    adapters   the outside world: Postgres, Qdrant, blobs, models, the LLM gateway
    sources    where documents come from
    knowledge  what a document, a chunk, a hit and a citation are; pure functions
"""
