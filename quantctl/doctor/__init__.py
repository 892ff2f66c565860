"""`quantctl doctor`: may this shell's identity do what the environments need? Reads only."""
