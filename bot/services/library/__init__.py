"""The library: postmortems that people read in a browser."""
