"""What was said: captions, transcripts and recordings, each block with its time."""
