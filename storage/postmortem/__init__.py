"""What belongs to a postmortem: its sections, which of them an incident has, the policy it is under, its review."""
