"""What people outside an incident's channel are told."""
