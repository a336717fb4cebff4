"""How the library is used: events written in the background, figures read by the day."""
