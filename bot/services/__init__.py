"""What the scribe does: one verb a function, one noun a file. Each owns its transaction, then speaks."""
