"""What an operator manages: sources, index generations, status and health."""
