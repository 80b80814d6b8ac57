"""The shelf: knowledge as the wires ask for it, in plain values."""
