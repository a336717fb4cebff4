"""The routes, one module for each family. A route checks, calls one workflow and answers."""
