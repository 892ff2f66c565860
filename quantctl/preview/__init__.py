"""`quantctl preview`: what a merge request would do to its stacks, in a reviewer's words."""
