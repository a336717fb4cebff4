"""What requests and responses look like, one module for each family of routes."""
