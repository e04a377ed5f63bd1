"""One module per command besides the run itself; loaded when the command is called."""
