"""The HTTP doors (Flask): translate, decide nothing."""
