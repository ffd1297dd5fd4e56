"""Other machines: the EHR, its authorization server, a terminology server. All by one way out."""
