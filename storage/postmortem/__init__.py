"""What belongs to a postmortem besides its text."""
