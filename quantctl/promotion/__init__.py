"""Promotion: gates, moving a branch, rolling it back, and what is recorded of it."""
