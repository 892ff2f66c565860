"""What must hold, whatever the program declares. Imports nothing of the program."""
