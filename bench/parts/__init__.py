"""What several measurements stand on: a stub upstream, a load, and processes whose CPU time is read."""
