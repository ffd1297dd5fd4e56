"""The use cases: one file, one verb. Read submit, publish, summarise to know the product."""
