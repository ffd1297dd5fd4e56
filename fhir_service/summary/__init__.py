"""What the oncologist reads: facts out of answers, each with the answers it came from. Pure."""
