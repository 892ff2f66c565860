"""`quantctl status`: the four environments and the ways between them, at one look."""
