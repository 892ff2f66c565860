"""What stands in the pipelines repository: heads and their moves, decisions, deployments, approvals, sign-offs."""
