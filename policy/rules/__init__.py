"""The rules, one theme a module: pure functions from a resource's inputs to what is wrong with them."""
