"""The library: postmortems that people read in the browser."""
