"""What is told of requests: logs, metrics, events."""
