"""The policy pack: what must hold whatever the program declares. It imports nothing of the program."""
