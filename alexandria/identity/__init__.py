"""Who somebody is and what they may do: plain Python, without stores, models or servers."""
