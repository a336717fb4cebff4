"""Analytics: the ledger and the query events as tables an analyst can use."""
