"""`quantctl up ENV`: the guarded update of one stack."""
