"""What monitoring reports: its payloads, and the groups made of them."""
