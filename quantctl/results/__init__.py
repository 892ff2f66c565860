"""Are the results right? Tables of an environment against those of the one that its edge leads to."""
