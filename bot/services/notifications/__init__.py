"""What the bot says unasked, and when what it said goes out of date."""
