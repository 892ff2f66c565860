"""The pipelines repository's project in GitLab: a client, and the protection of a branch as a resource."""
