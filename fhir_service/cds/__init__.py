"""CDS Hooks 2.0: what is offered, what a call must look like, and the card that answers it."""
