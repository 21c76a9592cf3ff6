"""What goes wrong outside Afterword, what it promises then, and the tests that show it: `make faults`."""
