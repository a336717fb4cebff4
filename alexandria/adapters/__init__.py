"""The outside world, one module for each service, and the only place for its driver.

An adapter knows how to talk to a service and what its failures mean. It decides nothing:
what is pending, what is right and what happens next is said in `alexandria.workflows`.
"""
