"""Where callers come in: one frame, and wires and faces that hang in it."""
