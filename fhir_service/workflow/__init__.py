"""The use cases: one file, one verb. Read submit.py, publish.py and summarise.py to know the product."""
