"""Text, HTML and PDF of a summary, all made from the same facts."""
