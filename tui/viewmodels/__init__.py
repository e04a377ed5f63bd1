"""What each screen says, as plain Python over the state; no terminal needed to test it."""
