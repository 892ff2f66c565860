"""`quantctl adopt`: what a team runs by hand becomes what a stack declares, and nothing is lost on the way."""
