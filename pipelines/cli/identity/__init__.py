"""Commands for people, their keys and what they did; their user is the library's operator."""
