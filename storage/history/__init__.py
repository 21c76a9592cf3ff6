"""What guards, thins and rewrites the history."""
