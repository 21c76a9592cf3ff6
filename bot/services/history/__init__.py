"""How the history is guarded, thinned and forgotten."""
