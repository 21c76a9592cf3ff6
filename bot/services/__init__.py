"""Services: one function does one thing that people ask for. It owns its transaction, and answers after the commit."""
