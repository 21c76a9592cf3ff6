"""All SQL. Each function takes an open Transaction first and returns frozen records."""
