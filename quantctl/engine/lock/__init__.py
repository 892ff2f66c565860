"""Locks of the stacks: who holds one, whether the owner is gone, and how it is released."""
