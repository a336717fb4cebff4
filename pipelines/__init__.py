"""How and when the graph runs: definitions, jobs, schedules, sensors and the command line."""
