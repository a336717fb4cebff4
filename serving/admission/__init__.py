"""Who is let in, and with how much: what every request passes before a route sees it."""
